/**
 * Records the histories that test/replay/replay.test.ts replays: one run of each way through the workflow code, by the
 * built package on a dev server of its own. Run it for a release, after `npm run build`:
 *
 *   node test/replay/record-histories.mjs          all
 *   node test/replay/record-histories.mjs webhook  those of these names
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { NativeConnection, Runtime, DefaultLogger } from '@temporalio/worker';
import pino from 'pino';
import { z } from 'zod';
import { startDevServer } from '../../dist/engine/dev-server/dev-server.js';
import { DeployedCode } from '../../dist/engine/deployed-code.js';
import { Engine } from '../../dist/engine/engine.js';
import { EMPTY_REGISTRY, buildRegistry } from '../../dist/engine/registry.js';
import { defineOperation } from '../../dist/src/pipeline/operation.js';
import { defineWorkflow } from '../../dist/src/definition/workflow.js';
import { definePipeline } from '../../dist/src/pipeline/pipeline.js';
import { VERSION } from '../../dist/src/version.js';
import { createTemporalWorker } from '../../dist/worker/temporal-worker.js';
import { workflowBundle } from '../../dist/worker/workflow-bundle.js';
import { recordAttributes } from './record-attributes.mjs';
import { recordFlows } from './record-flows.mjs';
import { recordRecords } from './record-records.mjs';
import { recordTasks } from './record-tasks.mjs';

const text = z.object({ text: z.string() });
const quick = defineOperation({
  name: 'quick',
  quick: true,
  reads: text,
  sets: z.object({ words: z.number() }),
  run: ({ input }) => ({ words: input.text.split(' ').length }),
});
const durable = defineOperation({
  name: 'durable',
  reads: text,
  sets: z.object({ text: z.string() }),
  run: ({ input }) => ({ text: input.text.toUpperCase() }),
});
const overruns = defineOperation({
  name: 'overruns',
  quick: true,
  run: async ({ attempt }) => {
    await new Promise((resolve) => setTimeout(resolve, attempt === 1 ? 2_300 : 0));
    return {};
  },
});
const fails = defineOperation({
  name: 'fails',
  retry: { maximumAttempts: 2, initialInterval: 10 },
  run: () => {
    throw new Error('it always does');
  },
});
const waits = defineOperation({
  name: 'waits',
  run: ({ signal }) =>
    new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason)),
    ),
});
const big = (name) =>
  defineOperation({
    name,
    reads: z.object({ blob: z.string() }),
    sets: z.object({ [name]: z.number() }),
    run: ({ input }) => ({ [name]: input.blob.length }),
  });
const bigs = ['big-1', 'big-2', 'big-3'].map(big);
const drop = defineOperation({ name: 'drop', quick: true, deletes: ['blob'], run: () => ({}) });

const operations = [quick, durable, overruns, fails, waits, drop, ...bigs];
const scenario = (name, stages, input = { text: 'a b c' }, more = {}) => ({
  name,
  pipeline: definePipeline({ name, stages, ...more }),
  input,
});
const scenarios = [
  scenario('empty', [{ name: 'one', operations: [] }]),
  scenario('fused', [
    { name: 'one', operations: [quick] },
    { name: 'two', operations: [quick] },
  ]),
  scenario(
    'mixed',
    [
      { name: 'one', operations: [quick, durable] },
      { name: 'two', operations: [durable, { type: durable, name: 'again' }] },
    ],
    undefined,
    { merge: 'first' },
  ),
  scenario('handed-over', [{ name: 'one', operations: [overruns, quick] }]),
  scenario('ignored', [{ name: 'one', operations: [{ type: fails, ignoreErrors: true }] }]),
  scenario('failed', [{ name: 'one', operations: [fails, quick] }]),
  scenario('timed-out', [{ name: 'one', operations: [waits] }], undefined, { timeout: 300 }),
  scenario('cancelled', [{ name: 'one', operations: [waits] }]),
  scenario('missing-code', [{ name: 'one', operations: [durable] }]),
  scenario(
    'budget',
    [
      { name: 'one', operations: bigs },
      { name: 'two', operations: [drop] },
    ],
    { blob: 'x'.repeat(900_000) },
  ),
  // The operation's contract allows any number, the output only some: the result is looked at.
  scenario('checked-result', [{ name: 'one', operations: [quick] }], undefined, {
    output: z.object({ text: z.string(), words: z.number().min(1) }),
  }),
  scenario('webhook', [{ name: 'one', operations: [quick] }]),
  {
    name: 'ownWorkflow',
    input: { text: 'a b c' },
    workflow: defineWorkflow({
      name: 'ownWorkflow',
      timeout: 2_000,
      input: text,
      output: z.object({}),
    }),
  },
];
const activities = [
  { name: 'look', run: (looked) => looked.length },
  { name: 'tidy', run: () => undefined },
];
const wanted = process.argv.slice(2);

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const server = await startDevServer({ port: 0, uiPort: false });
const connection = await NativeConnection.connect({ address: server.address });
const client = new Client({ connection });
const folder = new URL(`./histories/${VERSION}/`, import.meta.url);

/** Writes the history of a run, or of one run of a chain. */
async function record(name, from, workflowId, runId) {
  const history = await from.workflow.getHandle(workflowId, runId).fetchHistory();
  const bytes = proto.temporal.api.history.v1.History.encode(history).finish();
  await writeFile(new URL(`${name}.binpb.gz`, folder), gzipSync(bytes));
  console.log(`recorded ${name}`);
}

try {
  await mkdir(folder, { recursive: true });
  await recordFlows({ address: server.address, wanted, record });
  await recordRecords({ address: server.address, wanted, record });
  await recordAttributes({ address: server.address, wanted, record });
  await recordTasks({ address: server.address, wanted, record });
  const { registry, problems } = buildRegistry({
    operations,
    pipelines: scenarios.flatMap(({ pipeline }) =>
      pipeline === undefined ? [] : [{ definition: pipeline, locate: () => undefined }],
    ),
    workflows: scenarios.flatMap(({ workflow }) => (workflow === undefined ? [] : [workflow])),
    activities,
    models: new Map(),
    readFile: () => undefined,
  });
  if (registry === undefined) throw new Error(JSON.stringify(problems));
  const code = new DeployedCode(EMPTY_REGISTRY);
  const worker = await createTemporalWorker({
    connection,
    namespace: 'default',
    taskQueue: 'record',
    workflowBundle: await workflowBundle({
      files: [fileURLToPath(new URL('./fixtures/own-workflow.ts', import.meta.url))],
      cacheDir: `${tmpdir()}/millrace-record`,
    }),
    code,
    services: {},
    log: pino({ level: 'silent' }),
  });
  const engine = new Engine({ client, taskQueue: 'record', code: { registry }, eagerStart: true });
  await worker.runUntil(async () => {
    for (const { name, input } of scenarios) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      code.replace(name === 'missing-code' ? EMPTY_REGISTRY : registry, new Map());
      const options = name === 'webhook' ? { webhookUrl: 'http://127.0.0.1:9/' } : {};
      const run = await engine.start(name, input, options);
      await new Promise((resolve) => setTimeout(resolve, 400));
      code.replace(registry, new Map());
      if (name === 'cancelled') await run.cancel();
      await run.result().catch(() => undefined);
      await record(name, client, run.id);
    }
  });
} finally {
  await connection.close();
  await server.stop();
}
