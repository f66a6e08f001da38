/**
 * What events cost: tasks on workers without any, with a bridge that nobody listens to, and with Prometheus as its subscriber:
 * `npm run bench:events`, with the number of rounds as its argument (100 unless given). One process and one server for all cells, which are
 * measured in turn, round by round.
 */
import pino from 'pino';
import { Registry } from 'prom-client';
import { EventBridge } from '../adapters/event/event-bridge.js';
import { prometheus } from '../adapters/telemetry/prometheus.js';
import { Engine } from '../engine/engine.js';
import { NO_SERVICES } from '../src/pipeline/context.js';
import { startBenchTemporal } from './bench-temporal.js';
import { pairs, ratioTable, type Ratio } from './ratios.js';
import { cellTable, measureRounds, type TimedCell } from './rounds.js';
import { ratioOfMedians } from './statistics.js';
import { benchCode, startTaskWorker } from './tasks/task-worker.js';

/** A hundred steps at once: two hundred events of steps, and two of the run. */
const TASK = 'fan';

/** Times that the most of what is done about an event is measured by itself. */
const CALLS = 1_000_000;

function bridge(): EventBridge {
  return new EventBridge({ log: pino({ level: 'silent' }), services: NO_SERVICES });
}

function heard(): EventBridge {
  const events = bridge();
  events.replace([prometheus({ registry: new Registry() })]);
  return events;
}

/** What is left of an event that nobody listens to, in nanoseconds. */
function unheardNs(): number {
  const events = bridge();
  const make = (): never => {
    throw new Error('made though nobody listens');
  };
  const startedAt = process.hrtime.bigint();
  for (let at = 0; at < CALLS; at += 1) events.publish('step.execution.completed', make);
  return Number(process.hrtime.bigint() - startedAt) / CALLS;
}

const rounds = Number(process.argv[2] ?? 100);
const temporal = await startBenchTemporal();
const { connection, client } = temporal;
const code = benchCode();
const variants: readonly (readonly [string, EventBridge | undefined])[] = [
  ['off', undefined],
  ['off again', undefined],
  ['unheard', bridge()],
  ['prometheus', heard()],
];
const cells: TimedCell[] = [];
let running = (measuring: Promise<void>): Promise<void> => measuring;
for (const [name, events] of variants) {
  const taskQueue = name.replace(' ', '-');
  const engine = new Engine({ client, taskQueue, code, eagerStart: true });
  const settings = { taskQueue, ...(events !== undefined && { events }) };
  const worker = await startTaskWorker(connection, code, settings);
  const inner = running;
  running = (measuring) => worker.runUntil(inner(measuring));
  cells.push({ name, run: () => engine.execute(TASK, {}), times: [] });
}
await running(measureRounds(cells, rounds));
const timesOf = (name: string): readonly number[] =>
  cells.find((cell) => cell.name === name)?.times ?? [];
const ratios = ['unheard', 'prometheus', 'off again'].map((name): Ratio => ({
  figure: `100 steps at once: ${name} / off`,
  estimate: ratioOfMedians(pairs(timesOf('off'), timesOf(name))),
}));
process.stdout.write(
  [
    ...ratioTable(ratios),
    '',
    ...cellTable(cells),
    '',
    `An event that nobody listens to: ${unheardNs().toFixed(0)} ns.`,
    '',
  ].join('\n'),
);
await temporal.stop();
