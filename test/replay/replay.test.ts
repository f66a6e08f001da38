import { describe, expect, it } from '@jest/globals';
import proto from '@temporalio/proto';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { replay } from '../../testing/replay/replay.js';

const { History } = proto.temporal.api.history.v1;

const folder = fileURLToPath(new URL('./histories/', import.meta.url));
const histories = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.binpb.gz'),
);

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });

/** Replays one history with the workflow code as it is now. */
async function replayed(history: proto.temporal.api.history.v1.IHistory): Promise<number> {
  const workflowFiles = [join(import.meta.dirname, 'fixtures/own-workflow.ts')];
  return (await replay([history], { workflowFiles })).workflowIds.length;
}

function read(file: string): proto.temporal.api.history.v1.History {
  return History.decode(gunzipSync(readFileSync(join(folder, file))));
}

describe('workflow code', () => {
  it('has recorded histories to replay', () => {
    expect(histories.length).toBeGreaterThanOrEqual(40);
  });

  it.each(histories)('still does what it did in %s', async (file) => {
    expect(await replayed(read(file))).toBe(1);
  });

  it('is caught when it does something else', async () => {
    const history = read(histories.find((file) => file.endsWith('mixed.binpb.gz')) ?? '');
    for (const { activityTaskScheduledEventAttributes: scheduled } of history.events) {
      if (scheduled) scheduled.activityId = `9${scheduled.activityId ?? ''}`;
    }

    await expect(replayed(history)).rejects.toThrow(/nondeterminism|DeterminismViolation/i);
  });
});
