import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { readHistoryPage } from '../../../engine/history/read-history.js';
import { defineOperation } from '../../../src/pipeline/operation.js';
import { definePipeline } from '../../../src/pipeline/pipeline.js';
import { useStacks } from '../../support/stack.js';
import { useTemporal } from '../../support/temporal.js';

const temporal = useTemporal();
const stack = useStacks(temporal);

// With a client on a plain connection: a worker's own connection does not look at signals.
describe('reading a history', () => {
  it('leaves nothing behind on the signal that ends it, however many pages are read', async () => {
    const touch = defineOperation({ name: 'touch', quick: true, run: () => ({}) });
    const { engine } = await stack({
      operations: [touch],
      pipelines: [
        definePipeline({ name: 'touched', stages: [{ name: 'only', operations: [touch] }] }),
      ],
    });
    const { run } = await engine.execute('touched', {});
    const { temporalRunId: runId } = await run.describe();
    const { signal } = new AbortController();
    for (let page = 0; page < 3; page += 1) {
      const { events } = await readHistoryPage(temporal.client, {
        workflowId: run.id,
        runId,
        wait: false,
        signal,
      });
      expect(events.length).toBeGreaterThan(0);
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('ends at once where the signal says so, before or meanwhile', async () => {
    const stopping = new AbortController();
    const { engine } = await stack({
      pipelines: [definePipeline({ name: 'idle', stages: [{ name: 'none', operations: [] }] })],
      worker: false,
    });
    const run = await engine.start('idle', {});
    const { temporalRunId: runId } = await run.describe();
    const read = (nextPageToken?: Uint8Array): ReturnType<typeof readHistoryPage> =>
      readHistoryPage(temporal.client, {
        workflowId: run.id,
        runId,
        wait: true,
        signal: stopping.signal,
        ...(nextPageToken !== undefined && { nextPageToken }),
      });
    const { nextPageToken } = await read();
    const began = Date.now();
    const waiting = read(nextPageToken);
    setImmediate(() => {
      stopping.abort();
    });
    await expect(waiting).rejects.toThrow(/cancelled/i);
    await expect(read()).rejects.toThrow(/abort/i);
    expect(Date.now() - began).toBeLessThan(5_000);
    await temporal.client.workflow.getHandle(run.id).terminate('end of the test');
  });
});
