/**
 * Tasks against workflows that are written by hand for the same graph: `npm run bench:tasks`, with the number of rounds as its argument (100
 * unless given). One process and one server for all cells, which are measured in turn, round by round.
 */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Worker,
  type NativeConnection,
} from '@temporalio/worker';
import { Engine } from '../engine/engine.js';
import { startBenchTemporal } from './bench-temporal.js';
import { pairs, ratioTable, type Ratio } from './ratios.js';
import { cellTable, measureRounds, type TimedCell } from './rounds.js';
import { ratioOfMedians } from './statistics.js';
import { benchCode, startTaskWorker } from './tasks/task-worker.js';
import { rawTaskActivities } from './tasks/raw-activities.js';

const GRAPHS = [
  { name: 'diamond', about: 'a diamond of four steps', raw: 'rawDiamond' },
  { name: 'fan', about: '100 steps at once', raw: 'rawFan' },
  { name: 'batch', about: '10,000 items in 100 ranges, 10 at once', raw: 'rawBatch' },
] as const;

/** What a task may take of a workflow that is written by hand. */
const TARGET = { limit: 1.1, atLeast: false } as const;

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

function report(cells: ReadonlyMap<string, TimedCell>): string {
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
  return [...ratioTable(ratios), '', ...cellTable([...cells.values()]), ''].join('\n');
}

const rounds = Number(process.argv[2] ?? 100);
const temporal = await startBenchTemporal();
const { connection, client } = temporal;
const code = benchCode();
const engine = new Engine({ client, taskQueue: 'millrace', code, eagerStart: true });
const byHand = (type: string) => (): Promise<unknown> =>
  client.workflow.execute(type, {
    workflowId: randomUUID(),
    taskQueue: 'raw',
    args: [],
    requestEagerStart: true,
  });
const cells = new Map<string, TimedCell>(
  GRAPHS.flatMap(({ name, raw }) => [
    { name: `${name} by hand`, run: byHand(raw), times: [] },
    { name: `${name} by hand again`, run: byHand(raw), times: [] },
    { name: `${name} task`, run: () => engine.execute(name, {}), times: [] },
  ]).map((cell) => [cell.name, cell]),
);
const raw = await startRaw(connection, client);
const millrace = await startTaskWorker(connection, code, { taskQueue: 'millrace' });
await raw.runUntil(millrace.runUntil(measureRounds([...cells.values()], rounds)));
process.stdout.write(report(cells));
await temporal.stop();
