/** `npm run bench:records`: compares record pipelines with hand-written code and with BullMQ. See docs/performance.md. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevServer } from '../engine/dev-server/dev-server.js';
import { WrongArguments } from './arguments.js';
import { RECORDS_HEADING, writeReport } from './document.js';
import { describeMachine } from './machine.js';
import { measureProcess } from './measured-process.js';
import {
  COMPLETE_ROUNDS,
  recordArguments,
  USAGE,
  type RecordArguments,
} from './records/arguments.js';
import { taskOf, type RecordCell } from './records/cells.js';
import { missingForBullmq, startRedis, type Redis } from './records/redis.js';
import {
  isRecordsReached,
  recordReport,
  type RecordFacts,
  type RecordMeasurement,
} from './records/report.js';
import type { RecordResult, RecordTask } from './records/task.js';
import { fillUsers } from './records/users.js';
import { randomNumbers, shuffled } from './statistics.js';

/** What the measured processes find. */
interface Surroundings {
  /** Of the Temporal server. */
  readonly address: string;
  readonly redis: Redis | undefined;
}

const onProgress = (message: string): void => {
  console.error(`bench: ${message}`);
};

async function measureOnce(
  cell: RecordCell,
  scale: number,
  { address, redis }: Surroundings,
): Promise<RecordMeasurement> {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-bench-records-'));
  try {
    const { program, ...given } = taskOf(cell);
    const records = Math.ceil(cell.records / scale);
    fillUsers(dir, records);
    const url = new URL(`records/${program}.js`, import.meta.url);
    const task: RecordTask = { ...given, records, dir, address, redis: redis?.socket ?? '' };
    const result = await measureProcess<RecordResult>(url, task);
    if (result.bodies !== records * cell.steps)
      throw new Error(
        `${cell.variant} ran ${String(result.bodies)} bodies of ${String(records * cell.steps)}`,
      );
    return { cell, ...result };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function measureAll(
  { rounds, scale, maxMinutes }: RecordArguments,
  cells: readonly RecordCell[],
  surroundings: Surroundings,
): Promise<Pick<RecordFacts, 'measured' | 'rounds'>> {
  const measured: RecordMeasurement[] = [];
  const random = randomNumbers(1);
  const startedAt = performance.now();
  // The first round is the longest; of what it takes, a later one takes this much.
  let roundMs = 0;
  let round = 1;
  for (; round <= rounds; round += 1) {
    const roundAt = performance.now();
    if (roundAt - startedAt + roundMs > maxMinutes * 60_000) {
      onProgress(`no time for more than ${String(round - 1)} rounds`);
      break;
    }
    const chosen = cells.filter(({ once }) => round === 1 || once !== true);
    let eachMs = 0;
    for (const cell of shuffled(chosen, random)) {
      const cellAt = performance.now();
      const result = await measureOnce(cell, scale, surroundings);
      if (cell.once !== true) eachMs += performance.now() - cellAt;
      onProgress(
        `round ${String(round)}: ${cell.variant} ${String(result.bodies / cell.steps)} records, ${String(cell.steps)} steps, ${String(Math.round((result.bodies / result.ms) * 1_000))} bodies/s, ${String(Math.round(result.peakBytes / 1e6))} MB`,
      );
      measured.push(result);
    }
    roundMs = eachMs;
  }
  return { measured, rounds: round - 1 };
}

async function bench(args: RecordArguments): Promise<RecordFacts> {
  const isWanted = args.cells.some(({ variant }) => variant === 'bullmq');
  const missing = isWanted ? missingForBullmq() : undefined;
  const server = await startDevServer({ port: 0, uiPort: false, onProgress });
  const redis = isWanted && missing === undefined ? await startRedis() : undefined;
  try {
    const { address } = server;
    const machine = await describeMachine(address);
    const cells = args.cells.filter(({ variant }) => variant !== 'bullmq' || missing === undefined);
    const startedAt = performance.now();
    const found = await measureAll(args, cells, { address, redis });
    return {
      machine,
      cells,
      ...found,
      missing: missing === undefined ? [] : [`BullMQ was not measured: ${missing}.`],
      scale: args.scale,
      durationMs: performance.now() - startedAt,
    };
  } finally {
    await redis?.stop();
    await server.stop();
  }
}

try {
  const args = recordArguments(process.argv.slice(2));
  const facts = await bench(args);
  const text = recordReport(facts);
  console.log(text);
  if (args.complete && facts.rounds >= COMPLETE_ROUNDS)
    onProgress(`written to ${await writeReport(text, RECORDS_HEADING)}`);
  if (!isRecordsReached(facts)) process.exitCode = 1;
} catch (error) {
  if (!(error instanceof WrongArguments)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
