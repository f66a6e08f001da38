import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { defineOperation } from '../../src/pipeline/operation.js';
import { definePipeline } from '../../src/pipeline/pipeline.js';
import { openEvents } from '../support/event-client.js';
import { useServers } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();

/** Fails in its first attempt, then says how far it is. */
const stumble = defineOperation({
  name: 'stumble',
  sets: z.object({ attempts: z.number() }),
  retry: { initialInterval: '2s' },
  run: async ({ attempt, heartbeat, signal }) => {
    if (attempt === 1) throw new Error('the database is away');
    for (let completed = 0; completed < 30; completed += 1) {
      heartbeat({ completed, total: 30, message: 'on it' });
      await delay(100, undefined, { signal });
    }
    return { attempts: attempt };
  },
});

const stumbling = definePipeline({
  name: 'stumbling',
  stages: [{ name: 'only', operations: [{ type: stumble, name: 'step' }] }],
});

describe('the hints of an event stream', () => {
  const stack = useSharedStack(temporal, () => ({ operations: [stumble], pipelines: [stumbling] }));
  const serve = useServers();

  it('tell of a retry and then of progress, without ids, and are not told again', async () => {
    const { url } = await serve(stack.current.engine);
    const client = await openEvents(`${url}/pipelines/stumbling/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    await client.ended;

    const hints = client.events.filter(
      ({ event }) => event === 'operation_retrying' || event === 'operation_progress',
    );
    const [retrying, ...progress] = hints;
    expect(retrying).toEqual({
      // The parser gives what an event without an id leaves it with.
      id: retrying?.id,
      event: 'operation_retrying',
      data: { operation: 'step', stage: 'only', attempt: 2, error: 'the database is away' },
    });
    expect(progress.length).toBeGreaterThanOrEqual(2);
    for (const { event, data } of progress) {
      expect(event).toBe('operation_progress');
      expect(data).toMatchObject({
        operation: 'step',
        stage: 'only',
        attempt: 2,
        total: 30,
        message: 'on it',
      });
    }
    const told = progress.map(({ data }) => Number(data['completed']));
    expect(told).toEqual([...new Set(told)].sort((a, b) => a - b));
    expect(hints.map(({ id }) => id ?? '').join('')).toBe('');
    expect(client.events.at(-1)).toMatchObject({ data: { result: { attempts: 2 } } });

    const again = await openEvents(
      `${url}/pipelines/stumbling/executions/${String(client.response.headers.get('x-execution-id'))}/events`,
    );
    await again.ended;
    expect(again.events).toEqual(client.events.filter((event) => !hints.includes(event)));
  });
});
