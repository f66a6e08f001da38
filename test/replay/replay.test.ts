import { describe, expect, it } from '@jest/globals';
import proto from '@temporalio/proto';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import pino from 'pino';
import { eventSinks } from '../../worker/event-sinks.js';
import { workflowBundle } from '../../worker/workflow-bundle.js';

const { History } = proto.temporal.api.history.v1;

const folder = fileURLToPath(new URL('./histories/', import.meta.url));
const histories = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.binpb.gz'),
);

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });

/** Replays one history with the workflow code as it is now. */
async function replay(history: proto.temporal.api.history.v1.IHistory): Promise<void> {
  const bundle = await workflowBundle({
    files: [join(import.meta.dirname, 'fixtures/own-workflow.ts')],
    cacheDir: join(tmpdir(), 'millrace-test-bundles'),
  });
  // The run's own id is part of the ids of what it starts.
  const workflowId =
    history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? undefined;
  const sinks = eventSinks(undefined, pino({ level: 'silent' }));
  const options = { workflowBundle: { codePath: bundle }, sinks };
  await Worker.runReplayHistory(options, history, workflowId);
}

function read(file: string): proto.temporal.api.history.v1.History {
  return History.decode(gunzipSync(readFileSync(join(folder, file))));
}

describe('workflow code', () => {
  it('has recorded histories to replay', () => {
    expect(histories.length).toBeGreaterThanOrEqual(40);
  });

  it.each(histories)('still does what it did in %s', async (file) => {
    await expect(replay(read(file))).resolves.toBeUndefined();
  });

  it('is caught when it does something else', async () => {
    const history = read(histories.find((file) => file.endsWith('mixed.binpb.gz')) ?? '');
    for (const { activityTaskScheduledEventAttributes: scheduled } of history.events) {
      if (scheduled) scheduled.activityId = `9${scheduled.activityId ?? ''}`;
    }

    await expect(replay(history)).rejects.toThrow(/nondeterminism|DeterminismViolation/i);
  });
});
