import { describe, expect, it, jest } from '@jest/globals';
import { Client } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { Engine } from '../../engine/engine.js';
import { MAX_REQUEST_MS, TemporalUnavailable } from '../../engine/temporal-request.js';
import { defineOperation } from '../../src/pipeline/operation.js';
import { definePipeline } from '../../src/pipeline/pipeline.js';
import { openEvents } from '../support/event-client.js';
import { post, send, useServers, type Answer } from '../support/http-api.js';
import { useOwnTemporal } from '../support/own-temporal.js';
import { useStacks, type Stack } from '../support/stack.js';
import { operations, pipelines } from './definitions.js';

jest.setTimeout(120_000);

const temporal = useOwnTemporal();
const stack = useStacks(temporal);
const serve = useServers();

/** What a request may take beside the wait for Temporal, on a busy machine. */
const SLACK_MS = 4_000;

/** The two kinds of connection that engines have: `millrace dev` has a native one, `millrace server` one of gRPC's. */
function engines({ engine, code, taskQueue }: Stack): readonly Engine[] {
  const client = new Client({ connection: temporal.connection, namespace: temporal.namespace });
  return [engine, new Engine({ client, code, taskQueue })];
}

async function timed<T>(work: Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const began = performance.now();
  const value = await work;
  return { value, ms: performance.now() - began };
}

const AWAY = {
  success: false,
  type: 'unavailable',
  error: 'The Temporal server cannot be reached or is overloaded. Try again.',
  request_id: expect.any(String),
};

async function expectAway(asked: readonly Promise<Answer>[]): Promise<void> {
  for (const { value, ms } of await Promise.all(asked.map((request) => timed(request)))) {
    expect([value.status, value.headers.get('retry-after')]).toEqual([503, '2']);
    expect(value.body).toMatchObject(AWAY);
    expect(ms).toBeLessThan(MAX_REQUEST_MS + SLACK_MS);
  }
}

/** Takes 100 ms a step. An outage that is longer than its heartbeat timeout costs it an attempt. */
const stroll = defineOperation({
  name: 'stroll',
  reads: z.object({ steps: z.number() }),
  sets: z.object({ walked: z.number() }),
  run: async ({ input, signal, heartbeat }) => {
    for (let step = 0; step < input.steps; step += 1) {
      heartbeat({ completed: step, total: input.steps });
      await delay(100, undefined, { signal });
    }
    return { walked: input.steps };
  },
});

const outing = definePipeline({ name: 'outing', stages: [{ name: 'out', operations: [stroll] }] });

describe('a server whose Temporal server', () => {
  it('is killed answers 503 in time, and serves again when it is back, as do its workers and open streams', async () => {
    const running = await stack({
      operations: [...operations, stroll],
      pipelines: [...pipelines, outing],
    });
    const both = engines(running);
    const urls = await Promise.all(
      both.map(async (engine) => `${(await serve(engine)).url}/pipelines`),
    );
    const ended = await post(`${urls[0]!}/report`, { text: 'before' });
    const streams = await Promise.all(
      urls.map((url) =>
        openEvents(`${url}/outing/stream`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ steps: 20 }),
        }),
      ),
    );
    await Promise.all(
      streams.map((stream) => stream.until(({ event }) => event === 'operation_started')),
    );

    await temporal.kill();
    const started = Promise.allSettled(both.map((engine) => engine.start('report', { text: 'a' })));
    await expectAway([
      ...urls.map((url) => post(`${url}/report`, { text: 'a b' })),
      ...urls.map((url) => post(`${url}/report/async`, { text: 'a b' })),
      ...urls.map((url) => send(`${url}/report/executions`)),
      ...urls.map((url) => send(`${url}/report/executions/${String(ended.body['execution_id'])}`)),
    ]);
    expect(await started).toEqual(
      both.map(() => ({ status: 'rejected', reason: expect.any(TemporalUnavailable) })),
    );
    await temporal.restart();

    for (const url of urls) {
      const again = await post(`${url}/report`, { text: 'a b' });
      expect([again.status, again.body['result']]).toEqual([200, { text: 'A B', words: 2 }]);
    }
    await Promise.all(streams.map(({ ended: over }) => over));
    for (const { events } of streams) {
      const ids = events.flatMap(({ id }) => (id === undefined ? [] : [id]));
      expect(new Set(ids).size).toBe(ids.length);
      expect(events.at(-1)).toMatchObject({ event: 'complete', data: { result: { walked: 20 } } });
    }
  });

  it('is there but says nothing answers 503 in time, and serves again when it goes on', async () => {
    const running = await stack({ operations, pipelines });
    const urls = await Promise.all(
      engines(running).map(async (engine) => `${(await serve(engine)).url}/pipelines`),
    );
    await post(`${urls[0]!}/report`, { text: 'before' });

    temporal.freeze(true);
    try {
      await expectAway(urls.map((url) => post(`${url}/report`, { text: 'a b' })));
    } finally {
      temporal.freeze(false);
    }

    for (const url of urls) {
      const again = await post(`${url}/report`, { text: 'a b' });
      expect([again.status, again.body['result']]).toEqual([200, { text: 'A B', words: 2 }]);
    }
  });
});
