import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { DataFlows } from '../../engine/data-flow/data-flows.js';
import { spoolPath, STANDARD_INPUT } from '../../src/data-flow/standard-input.js';
import { UsageError } from '../exit-code.js';

/** Most that is taken from standard input: it is kept on the disk until the run has ended well. */
const MAX_BYTES = 1024 ** 3;

/**
 * Keeps what is piped into this process for the run that is about to start. The worker has to be on this machine.
 *
 * @throws {@link UsageError} when the flow reads something else, or a run of it is active
 */
export async function spoolStandardInput(
  flows: DataFlows,
  dir: string,
  flow: string,
): Promise<void> {
  await requireReader(flows, flow);
  const [latest] = await flows.runs(flow, { limit: 1 });
  if (latest?.endedAt === null)
    throw new UsageError(
      `Run ${String(latest.runSeq)} of "${flow}" is active and may be reading what was piped into it before. Wait for its end.`,
    );
  const file = join(dir, spoolPath(flow));
  await mkdir(dirname(file), { recursive: true });
  const part = `${file}.part`;
  try {
    await pipeline(process.stdin, limited(), createWriteStream(part));
    await rename(part, file);
  } finally {
    await rm(part, { force: true });
  }
}

/** Forgets it. A run that failed goes on in it when the flow is run again. */
export async function removeSpooled(dir: string, flow: string): Promise<void> {
  await rm(join(dir, spoolPath(flow)), { force: true });
}

async function requireReader(flows: DataFlows, flow: string): Promise<void> {
  const { definition, record } = await flows.show(flow);
  if (definition?.work.kind !== 'move') throw readsNoInput(flow);
  const request = {
    configuration: record.configuration,
    trigger: 'manual',
    scheduledAt: undefined,
  } as const;
  if (definition.work.source(request).options['path'] !== STANDARD_INPUT) throw readsNoInput(flow);
}

function readsNoInput(flow: string): UsageError {
  return new UsageError(
    `"${flow}" does not read standard input. Its source does when it is a file with the path "-": csvSource({ path: '-' }).`,
  );
}

function limited(): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= MAX_BYTES) done(null, chunk);
      else
        done(
          new UsageError(
            `Standard input has more than ${String(MAX_BYTES)} bytes. Write it to a file, and name that as the path of the source.`,
          ),
        );
    },
  });
}
