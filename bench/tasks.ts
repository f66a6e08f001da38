/**
 * Tasks against workflows that are written by hand for the same graph: `npm run bench:tasks`, with the number of rounds as its argument (100
 * unless given). One process and one server for all cells, which are measured in turn, round by round.
 */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import pino from 'pino';
import { startDevServer } from '../engine/dev-server/dev-server.js';
import { DeployedCode } from '../engine/deployed-code.js';
import { Engine } from '../engine/engine.js';
import { buildRegistry } from '../engine/registry.js';
import { NO_SERVICES } from '../src/pipeline/context.js';
import { createTemporalWorker } from '../worker/temporal-worker.js';
import { workflowBundle } from '../worker/workflow-bundle.js';
import { pairs, ratioTable, type Ratio } from './ratios.js';
import { quantile, randomNumbers, ratioOfMedians, shuffled } from './statistics.js';
import { TASKS } from './tasks/definitions.js';
import { rawTaskActivities } from './tasks/raw-activities.js';

const GRAPHS = [
  { name: 'diamond', about: 'a diamond of four steps', raw: 'rawDiamond' },
  { name: 'fan', about: '100 steps at once', raw: 'rawFan' },
  { name: 'batch', about: '10,000 items in 100 ranges, 10 at once', raw: 'rawBatch' },
] as const;

/** Rounds that are not counted. */
const WARM_UP = 5;

/** What a task may take of a workflow that is written by hand. */
const TARGET = { limit: 1.1, atLeast: false } as const;

interface Cell {
  readonly name: string;
  readonly run: () => Promise<unknown>;
  readonly times: number[];
}

async function startRaw(connection: NativeConnection, client: Client): Promise<Worker> {
  const logger = new DefaultLogger('ERROR');
  const workflowsPath = fileURLToPath(new URL('tasks/raw-workflows.js', import.meta.url));
  return Worker.create({
    connection,
    namespace: client.options.namespace,
    taskQueue: 'raw',
    workflowBundle: await bundleWorkflowCode({ workflowsPath, logger }),
    activities: rawTaskActivities,
  });
}

async function startMillrace(connection: NativeConnection, code: DeployedCode): Promise<Worker> {
  return createTemporalWorker({
    connection,
    namespace: 'default',
    taskQueue: 'millrace',
    workflowBundle: await workflowBundle({
      files: [],
      cacheDir: join(tmpdir(), 'millrace-bench'),
      logger: new DefaultLogger('ERROR'),
    }),
    code,
    services: NO_SERVICES,
    log: pino({ level: 'silent' }),
  });
}

async function measure(cells: readonly Cell[], rounds: number): Promise<void> {
  const random = randomNumbers(7);
  for (let round = -WARM_UP; round < rounds; round += 1) {
    for (const { run, times } of shuffled(cells, random)) {
      const startedAt = performance.now();
      await run();
      if (round >= 0) times.push(performance.now() - startedAt);
    }
    if (round % 10 === 9) process.stderr.write(`round ${String(round + 1)} of ${String(rounds)}\n`);
  }
}

function report(cells: ReadonlyMap<string, Cell>): string {
  const times = (name: string): readonly number[] => cells.get(name)?.times ?? [];
  const ratios = GRAPHS.flatMap(({ name, about }): readonly Ratio[] => [
    {
      figure: `${about}: a task / by hand`,
      estimate: ratioOfMedians(pairs(times(`${name} by hand`), times(`${name} task`))),
      target: TARGET,
    },
    {
      figure: `${about}: by hand / by hand (A/A)`,
      estimate: ratioOfMedians(pairs(times(`${name} by hand`), times(`${name} by hand again`))),
    },
  ]);
  const rows = [...cells.values()].map(
    (cell) =>
      `| ${cell.name} | ${quantile(cell.times, 0.5).toFixed(1)} | ${quantile(cell.times, 0.95).toFixed(1)} |`,
  );
  return [
    ...ratioTable(ratios),
    '',
    '| cell | p50, ms | p95, ms |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

const rounds = Number(process.argv[2] ?? 100);
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const server = await startDevServer({ port: 0, uiPort: false });
const connection = await NativeConnection.connect({ address: server.address });
const client = new Client({ connection });
const { registry, problems } = buildRegistry({
  operations: [],
  pipelines: [],
  workflows: [],
  tasks: TASKS.map((definition) => ({ definition, locate: () => undefined })),
  models: new Map(),
  readFile: () => undefined,
});
if (registry === undefined) throw new Error(JSON.stringify(problems));
const code = new DeployedCode(registry);
const engine = new Engine({ client, taskQueue: 'millrace', code, eagerStart: true });
const byHand = (type: string) => (): Promise<unknown> =>
  client.workflow.execute(type, {
    workflowId: randomUUID(),
    taskQueue: 'raw',
    args: [],
    requestEagerStart: true,
  });
const cells = new Map<string, Cell>(
  GRAPHS.flatMap(({ name, raw }) => [
    { name: `${name} by hand`, run: byHand(raw), times: [] },
    { name: `${name} by hand again`, run: byHand(raw), times: [] },
    { name: `${name} task`, run: () => engine.execute(name, {}), times: [] },
  ]).map((cell) => [cell.name, cell]),
);
const raw = await startRaw(connection, client);
const millrace = await startMillrace(connection, code);
await raw.runUntil(millrace.runUntil(measure([...cells.values()], rounds)));
process.stdout.write(report(cells));
await connection.close();
await server.stop();
