import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import type { Row } from '../../src/data-flow/row.js';
import { defineDataFlow } from '../../src/data-flow/data-flow.js';
import { defineSource } from '../../src/data-flow/source.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { endOf, listSink, listSource, numbered, useFlow } from '../support/flows.js';
import { gate } from '../support/gate.js';

const start = useFlow();
const FAST = { maximumAttempts: 3, initialInterval: 10 } as const;

describe('a run that fails', () => {
  it('is recorded with the message and the stack of what was thrown', async () => {
    const { runToEnd } = await start((name) =>
      defineDataFlow({
        name,
        source: listSource(() => numbered(1)),
        sink: listSink([], () => {
          throw permanent('the warehouse is closed');
        }),
      }),
    );
    const run = await runToEnd();
    expect(run).toMatchObject({
      status: 'failed',
      errorMessage: 'the warehouse is closed',
      lastCursor: null,
    });
    expect(run.errorBacktrace).toContain('data-flow-failures.test.ts');
    expect(run.endedAt!.getTime()).toBeGreaterThanOrEqual(run.startedAt.getTime());
  });

  it('has tried as often as its retries say, and the next run goes on where it was', async () => {
    let failures = 0;
    const written: Row[] = [];
    const { runToEnd } = await start((name) =>
      defineDataFlow({
        name,
        batchSize: 2,
        retry: FAST,
        source: listSource(() => numbered(4)),
        sink: listSink(written, () => {
          if (written.length < 2 || failures === 3) return;
          failures += 1;
          throw new Error(`not now (${String(failures)})`);
        }),
      }),
    );
    expect(await runToEnd()).toMatchObject({
      status: 'failed',
      errorMessage: 'not now (3)',
      lastCursor: 2,
    });
    expect(await runToEnd()).toMatchObject({
      status: 'success',
      firstCursor: 2,
      counts: { read: 2 },
    });
    expect(written.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
  });

  it.each([
    ['no cursor', undefined],
    ['the cursor that it had before', 'same'],
  ])('has a source that gives rows with %s: never an endless loop', async (_what, cursor) => {
    const stuck = defineSource({
      name: 'stuck',
      options: z.strictObject({}),
      async *read() {
        for (;;) yield { rows: [{ a: 1 }], cursor: cursor as never };
      },
    });
    const { runToEnd } = await start((name) =>
      defineDataFlow({ name, source: stuck({}), sink: listSink([]) }),
    );
    const run = await runToEnd();
    expect(run.status).toBe('failed');
    expect(run.errorMessage).toMatch(
      /^The source gave 1 rows (without a cursor|and the cursor that it had before)/,
    );
  });

  it('has a configuration that does not fit: it is told, and nothing is moved', async () => {
    const { name, flows } = await start((name) =>
      defineDataFlow({
        name,
        configuration: z.object({ path: z.string() }),
        source: ({ configuration }) => listSource(() => [{ path: configuration.path }]),
        sink: listSink([]),
      }),
    );
    await expect(flows.run(name)).rejects.toMatchObject({ name: 'ConfigurationInvalid' });
    expect(await flows.runs(name, { limit: 5 })).toEqual([]);
    expect((await flows.show(name)).configurationProblems).toMatchObject([{ path: 'path' }]);
  });

  it('is one whose batch takes longer than its limit', async () => {
    const { runToEnd } = await start((name) =>
      defineDataFlow({
        name,
        batchTimeout: '1s',
        retry: { maximumAttempts: 1 },
        source: listSource(
          () => numbered(1),
          (_from, signal) => gate().pass(signal),
        ),
        sink: listSink([]),
      }),
    );
    expect(await runToEnd()).toMatchObject({
      status: 'failed',
      errorMessage: 'A batch took longer than its timeout of 1000 ms (batchTimeout).',
    });
  });

  it('is one that takes longer than its flow allows', async () => {
    const { runToEnd } = await start((name) =>
      defineDataFlow({
        name,
        timeout: '1s',
        run: ({ signal }) => gate().pass(signal),
      }),
    );
    expect(await runToEnd()).toMatchObject({
      status: 'failed',
      errorMessage: expect.stringContaining('timeout of 1000 ms'),
    });
  });
});

describe('a run that is cancelled', () => {
  it('finishes the batch in progress, is recorded as cancelled, and frees the flow', async () => {
    const written: Row[] = [];
    const busy = gate();
    const { name, flows, engine, runToEnd } = await start((name) =>
      defineDataFlow({
        name,
        batchSize: 1,
        source: listSource(
          () => numbered(3),
          (from) => (from === 1 && written.length === 1 ? busy.pass() : undefined),
        ),
        sink: listSink(written),
      }),
    );
    const run = await flows.run(name);
    await busy.reached;
    await engine.runWithId({ kind: 'flow', name, executionId: '1' }).cancel();
    const ended = endOf(flows, run);
    // A worker learns of it with a heartbeat.
    setTimeout(busy.open, 4_000);
    expect(await ended).toMatchObject({
      status: 'cancelled',
      errorMessage: 'The run was cancelled.',
    });
    expect(await runToEnd()).toMatchObject({ status: 'success' });
    expect(written.map(({ number }) => number)).toEqual([1, 2, 3]);
  });
});

describe('attempts', () => {
  it('are counted anew whenever the flow has got further', async () => {
    let calls = 0;
    const written: Row[] = [];
    const { runToEnd } = await start((name) =>
      defineDataFlow({
        name,
        batchSize: 1,
        retry: { ...FAST, maximumAttempts: 2 },
        source: listSource(() => numbered(6)),
        sink: listSink(written, () => {
          calls += 1;
          // Every other call fails: six times in all, and never twice at the same place.
          if (calls % 2 === 0) throw new Error('now and then');
        }),
      }),
    );
    expect(await runToEnd()).toMatchObject({ status: 'success', counts: { read: 6 } });
    expect(written.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(calls).toBeGreaterThan(10);
  });

  it('wait as long as a service has asked for', async () => {
    const calls: number[] = [];
    const { runToEnd } = await start((name) =>
      defineDataFlow({
        name,
        retry: { maximumAttempts: 2, initialInterval: '1m' },
        source: listSource(() => numbered(1)),
        sink: listSink([], () => {
          calls.push(Date.now());
          if (calls.length === 1) throw Object.assign(new Error('busy'), { retryAfterMs: 700 });
        }),
      }),
    );
    expect(await runToEnd()).toMatchObject({ status: 'success' });
    expect(calls[1]! - calls[0]!).toBeGreaterThanOrEqual(690);
  });

  it('of a body may save its cursor from several places at once, each in its turn', async () => {
    const { runToEnd } = await start((name) =>
      defineDataFlow({
        name,
        run: async ({ saveCursor }) => {
          await Promise.all([1, 2, 3].map((page) => saveCursor(page, { read: 1 })));
        },
      }),
    );
    expect(await runToEnd()).toMatchObject({
      status: 'success',
      lastCursor: 3,
      counts: { read: 3 },
    });
  });

  it('have a plan of a size that a history can carry', async () => {
    const { name, flows, runToEnd } = await start((name) =>
      defineDataFlow({
        name,
        configuration: z.object({ text: z.string().default('x') }),
        source: listSource(() => numbered(1)),
        sink: listSink([]),
      }),
    );
    await flows.change(name, { configuration: { text: 'x'.repeat(300_000) } });
    expect(await runToEnd()).toMatchObject({
      status: 'failed',
      errorMessage: expect.stringContaining('(maxPlanBytes)'),
    });
  });
});
