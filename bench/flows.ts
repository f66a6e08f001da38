/** `npm run bench:flows`: compares a data flow with hand-written code. See docs/performance.md. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startDevServer } from '../engine/dev-server/dev-server.js';
import {
  flowReport,
  isFlowReached,
  type FlowCell,
  type FlowMeasurement,
} from './data-flow/report.js';
import { writeOrders } from './data-flow/orders.js';
import type { VariantResult, VariantTask } from './data-flow/variant.js';
import { FLOW_HEADING, writeReport } from './document.js';
import { describeMachine } from './machine.js';
import { measureProcess } from './measured-process.js';
import { randomNumbers, shuffled } from './statistics.js';

/** What is measured in each round, in random order. `control` is the bare loop once more: it differs by chance only. */
const CELLS: readonly FlowCell[] = [
  { variant: 'bare', rows: 1_000_000 },
  { variant: 'control', rows: 1_000_000 },
  { variant: 'flow', rows: 1_000_000 },
  { variant: 'flow', rows: 100_000 },
  { variant: 'per-row', rows: 2_000 },
];

const PROGRAMS = { bare: 'bare', control: 'bare', flow: 'flow', 'per-row': 'per-row' } as const;

/** Fewest rounds that the page of results is written for. */
const COMPLETE_ROUNDS = 5;

const { rounds, scale } = parseArgs({
  options: {
    rounds: { type: 'string', default: String(COMPLETE_ROUNDS) },
    /** Divides the number of rows, for a quick look. */
    scale: { type: 'string', default: '1' },
  },
}).values;

async function measureOnce(
  cell: FlowCell,
  files: ReadonlyMap<number, string>,
  address: string,
): Promise<FlowMeasurement> {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-bench-flow-'));
  try {
    const task: VariantTask = { file: files.get(cell.rows) ?? '', dir, address };
    const program = new URL(`data-flow/${PROGRAMS[cell.variant]}.js`, import.meta.url);
    const result = await measureProcess<VariantResult>(program, task);
    if (result.rows !== cell.rows)
      throw new Error(`${cell.variant} moved ${String(result.rows)} rows of ${String(cell.rows)}`);
    return { cell, ...result };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function bench(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-bench-rows-'));
  const onProgress = (message: string): void => {
    console.error(`bench: ${message}`);
  };
  const server = await startDevServer({ port: 0, uiPort: false, onProgress });
  try {
    const cells = CELLS.map((cell) => ({ ...cell, rows: Math.ceil(cell.rows / Number(scale)) }));
    const files = new Map<number, string>();
    for (const { rows } of cells) {
      files.set(rows, join(dir, `${String(rows)}.csv`));
      await writeOrders(files.get(rows) ?? '', rows);
    }
    const machine = await describeMachine(server.address);
    const measured: FlowMeasurement[] = [];
    const random = randomNumbers(1);
    for (let round = 1; round <= Number(rounds); round += 1) {
      for (const cell of shuffled(cells, random)) {
        const result = await measureOnce(cell, files, server.address);
        onProgress(
          `round ${String(round)}: ${cell.variant} ${String(cell.rows)} rows, ${String(Math.round((cell.rows / result.ms) * 1_000))} rows/s, ${String(Math.round(result.peakBytes / 1e6))} MB`,
        );
        measured.push(result);
      }
    }
    const facts = { machine, cells, measured };
    const text = flowReport(facts);
    console.log(text);
    if (scale === '1' && Number(rounds) >= COMPLETE_ROUNDS)
      onProgress(`written to ${await writeReport(text, FLOW_HEADING)}`);
    if (!isFlowReached(facts)) process.exitCode = 1;
  } finally {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

await bench();
