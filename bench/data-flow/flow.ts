/** Millrace: a project with one flow, its worker and an engine, as `millrace worker` and `createEngine` have them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { createWorker } from '../../worker/create-worker.js';
import { answerParent } from '../measured-process.js';
import type { VariantResult, VariantTask } from './variant.js';

const ORDERS = fileURLToPath(new URL('orders.js', import.meta.url));

function flowFile(file: string): string {
  return `import { defineDataFlow } from 'millrace';
import { csvSource, sqlSink } from 'millrace/connectors';
import { orderOf } from ${JSON.stringify(ORDERS)};

export const importOrders = defineDataFlow({
  name: 'import-orders',
  source: csvSource({ path: ${JSON.stringify(file)} }),
  transform: ({ row }) => orderOf(row as never),
  sink: sqlSink({ database: 'sqlite:flow.db', table: 'orders', key: ['id'], create: true }),
});
`;
}

await answerParent(async ({ file, dir, address }: VariantTask): Promise<VariantResult> => {
  await mkdir(join(dir, 'flows'), { recursive: true });
  await writeFile(join(dir, 'flows', 'import-orders.ts'), flowFile(file));
  const env = { TEMPORAL_ADDRESS: address };
  // Written as in production, one JSON line at a time; where the lines go is not what is measured.
  const log = pino(pino.destination(devNull));
  // The name of the folder is its own: so are the queue and the ids of its runs.
  const config = { asyncQueue: `bench-${dir}`, temporal: { address } };
  const worker = await createWorker({ dir, env, log, config });
  const running = worker.run();
  const flows = await worker.engine.dataFlows();
  const startedAt = performance.now();
  const run = await flows.run('import-orders');
  await worker.engine
    .runWithId({ kind: 'flow', name: run.flow, executionId: String(run.runSeq) })
    .result();
  const ms = performance.now() - startedAt;
  const { status, counts, errorMessage } = await flows.findRun(run.flow, run.id);
  if (status !== 'success') throw new Error(`the flow ended as ${status}: ${errorMessage ?? ''}`);
  await worker.stop();
  await running;
  return { rows: counts.written, ms };
});
