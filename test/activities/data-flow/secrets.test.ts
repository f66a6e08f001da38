import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { Secrets } from '../../../activities/data-flow/secrets.js';
import { defineDataFlow } from '../../../src/data-flow/data-flow.js';
import { defineSource } from '../../../src/data-flow/source.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import { listSink, runToEnd, uniqueFlow, useFlows } from '../../support/flows.js';

const KEY = 'k3y/with space';

async function resolve<T>(value: T): Promise<T> {
  return JSON.parse(JSON.stringify(value).replaceAll('secret://api/key', KEY)) as T;
}

describe('secrets of connectors', () => {
  it('are put into options, and taken out of what is recorded, in the form of an address, too', async () => {
    const secrets = new Secrets(resolve);
    expect(await secrets.reveal({ url: 'https://api/?key=secret://api/key', n: 1 })).toEqual({
      url: `https://api/?key=${KEY}`,
      n: 1,
    });
    const cursor = { next: `https://api/?key=${encodeURIComponent(KEY)}&page=2`, raw: [KEY] };
    const hidden = secrets.hideIn(cursor);
    expect(JSON.stringify(hidden)).not.toMatch(/k3y/);
    expect(secrets.revealIn(hidden)).toEqual(cursor);
    expect(secrets.hide(`refused: "${KEY}"`)).toBe('refused: "⟦secret://api/key⟧"');
  });

  it('leave cursors alone that have none', async () => {
    const secrets = new Secrets(resolve);
    await secrets.reveal({ url: 'https://api' });
    const cursor = { offset: 7, text: 'secret://api/key ⟦x⟧' };
    expect(secrets.hideIn(cursor)).toEqual(cursor);
    expect(secrets.revealIn(cursor)).toEqual(cursor);
  });
});

describe('a run whose source has a secret', () => {
  const start = useFlows();

  it('records it neither in its cursor nor in its error, nor with rejected rows, nor in its history', async () => {
    const name = uniqueFlow();
    const seen: unknown[] = [];
    const paged = defineSource({
      name: 'paged',
      options: z.object({ token: z.string() }),
      async *read({ options, cursor }) {
        seen.push(cursor ?? null);
        if (cursor === undefined) {
          const rejected = [{ at: 1, reason: `no row at /1?t=${options.token}`, row: 'x' }];
          yield { rows: [{ a: 1 }], rejected, cursor: { next: `/2?t=${options.token}` } };
        }
        throw permanent(`refused ${options.token}`);
      },
    });
    const flow = defineDataFlow({
      name,
      source: paged({ token: '${MILLRACE_TEST_TOKEN}' }),
      sink: listSink([]),
    });
    const env = { MILLRACE_TEST_TOKEN: 'hunter2-token' };
    const { flows, engine } = await start([flow], {}, env);
    const run = await runToEnd(flows, name);
    expect(run).toMatchObject({
      status: 'failed',
      errorMessage: 'refused ⟦${MILLRACE_TEST_TOKEN}⟧',
      lastCursor: { next: '/2?t=⟦${MILLRACE_TEST_TOKEN}⟧' },
    });
    expect(await flows.rejections(run, { limit: 1 })).toMatchObject([
      { rowNumber: 2, reason: 'no row at /1?t=⟦${MILLRACE_TEST_TOKEN}⟧' },
    ]);
    await runToEnd(flows, name);
    expect(seen).toEqual([null, { next: '/2?t=hunter2-token' }]);
    const history = await engine.temporal.client.workflow.getHandle(run.workflowId).fetchHistory();
    const payloads = Buffer.from(JSON.stringify(history)).toString('utf8');
    expect(payloads).not.toContain('hunter2-token');
    expect(payloads).not.toContain(Buffer.from('hunter2-token').toString('base64').slice(0, 16));
    expect(JSON.stringify(run)).not.toContain('hunter2-token');
  });
});
