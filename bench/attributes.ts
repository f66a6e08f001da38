/** `npm run bench:attributes`: compares attribute pipelines with hand-written code. See docs/performance.md. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startDevServer } from '../engine/dev-server/dev-server.js';
import { startModelStub } from './attributes/model-stub.js';
import {
  attributeReport,
  isAttributesReached,
  SIZES,
  type AttributeCell,
  type AttributeMeasurement,
} from './attributes/report.js';
import type { AttributeResult, AttributeTask } from './attributes/task.js';
import { ATTRIBUTES_HEADING, writeReport } from './document.js';
import { describeMachine } from './machine.js';
import { measureProcess } from './measured-process.js';
import { randomNumbers, shuffled } from './statistics.js';

const { some, many } = SIZES;

/** What is measured in each round, in random order. `control` is the bare loop once more: it differs by chance only. */
const CELLS: readonly AttributeCell[] = [
  { variant: 'bare', entities: many },
  { variant: 'control', entities: many },
  { variant: 'calculation', entities: many },
  { variant: 'bare', entities: some },
  { variant: 'calculation', entities: some },
  { variant: 'per-entity', entities: 2_000 },
  { variant: 'prompt', entities: some },
  { variant: 'pool', entities: some },
  { variant: 'prompt', entities: many, once: true },
];

const PROGRAMS = {
  bare: 'bare',
  control: 'bare',
  calculation: 'millrace',
  prompt: 'millrace',
  pool: 'pool',
  'per-entity': 'per-entity',
} as const;

/** Fewest rounds that the page of results is written for. */
const COMPLETE_ROUNDS = 3;

/** Longest time of one measured process: that of 100,000 prompts is over four minutes. */
const LIMIT_MS = 10 * 60_000;

const { rounds, scale, only } = parseArgs({
  options: {
    rounds: { type: 'string', default: String(COMPLETE_ROUNDS) },
    /** Divides the number of entities, for a quick look. */
    scale: { type: 'string', default: '1' },
    /** Some of the variants, with commas between them. */
    only: { type: 'string' },
  },
}).values;

const onProgress = (message: string): void => {
  console.error(`bench: ${message}`);
};

async function measureOnce(
  cell: AttributeCell,
  surroundings: Pick<AttributeTask, 'address' | 'model'>,
): Promise<AttributeMeasurement> {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-bench-attributes-'));
  try {
    const entities = Math.ceil(cell.entities / Number(scale));
    const task: AttributeTask = {
      ...surroundings,
      dir,
      entities,
      processor: cell.variant === 'prompt' ? 'prompt' : 'calculation',
    };
    const program = new URL(`attributes/${PROGRAMS[cell.variant]}.js`, import.meta.url);
    const result = await measureProcess<AttributeResult>(program, task, LIMIT_MS);
    if (result.entities !== entities)
      throw new Error(
        `${cell.variant} computed ${String(result.entities)} values of ${String(entities)}`,
      );
    return { cell, ...result };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function told(round: number, { cell, ...result }: AttributeMeasurement): string {
  const { entities, coldMs, unchangedMs, changedMs, peakBytes } = result;
  const ms = (value: number | undefined): string =>
    value === undefined ? '–' : String(Math.round(value));
  return `round ${String(round)}: ${cell.variant} ${String(entities)} entities, ${String(Math.round((entities / coldMs) * 1_000))}/s, cold ${ms(coldMs)} ms, nothing changed ${ms(unchangedMs)} ms, 1% changed ${ms(changedMs)} ms, ${String(Math.round(peakBytes / 1e6))} MB`;
}

async function bench(): Promise<void> {
  const server = await startDevServer({ port: 0, uiPort: false, onProgress });
  const model = await startModelStub();
  try {
    const machine = await describeMachine(server.address);
    const wanted = only?.split(',');
    const cells = CELLS.filter(({ variant }) => wanted?.includes(variant) ?? true);
    const measured: AttributeMeasurement[] = [];
    const random = randomNumbers(1);
    for (let round = 1; round <= Number(rounds); round += 1) {
      const chosen = cells.filter(({ once }) => round === 1 || once !== true);
      for (const cell of shuffled(chosen, random)) {
        const result = await measureOnce(cell, { address: server.address, model: model.url });
        onProgress(told(round, result));
        measured.push(result);
      }
    }
    const facts = { machine, cells, measured };
    const text = attributeReport(facts);
    console.log(text);
    if (scale === '1' && only === undefined && Number(rounds) >= COMPLETE_ROUNDS)
      onProgress(`written to ${await writeReport(text, ATTRIBUTES_HEADING)}`);
    if (!isAttributesReached(facts)) process.exitCode = 1;
  } finally {
    await model.stop();
    await server.stop();
  }
}

await bench();
