import type { DevServer } from '../engine/dev-server/dev-server.js';
import type { Cell, Scenario } from './cells.js';
import type { HttpClient } from './http-client.js';
import { timeOf, timeOfBlock } from './load.js';
import { Measurements } from './measurements.js';
import { PIPELINE_NAMES } from './millrace/definitions.js';
import { processCpuMs } from './process-cpu.js';
import { randomNumbers, shuffled } from './statistics.js';
import { INPUT } from './steps.js';
import type { SubjectProcess } from './subject-process.js';

/** Runs at once where throughput is measured. */
export const AT_ONCE = 50;

/** Single runs of each cell for one block of it. A block gives one figure for throughput and one for CPU. */
const SAMPLES_PER_BLOCK = 25;

/** Runs of one block: each of the places that run at once is used twice. */
const RUNS_PER_BLOCK = 2 * AT_ONCE;

/** Runs of each cell before anything is measured, one at a time and at once. */
const WARM_UP = { single: 20, atOnce: 100 } as const;

/** What is measured, with what, and until when. */
export interface MeasureOptions {
  readonly cells: readonly Cell[];
  /** Single runs of each cell. */
  readonly samples: number;
  /** Milliseconds since the epoch: what is not measured by then is left out, and the report says so. */
  readonly deadline: number;
  readonly server: DevServer;
  readonly subject: SubjectProcess;
  readonly http: HttpClient;
  readonly onProgress: (message: string) => void;
}

/**
 * Measures every cell, in turns: some rounds of runs one at a time, then a block of each cell. Where time runs out, there is
 * less of both.
 */
export async function measure(options: MeasureOptions): Promise<Measurements> {
  const { cells, samples, deadline, onProgress } = options;
  const measurements = new Measurements();
  onProgress('warming up');
  for (const cell of cells) {
    for (let run = 0; run < WARM_UP.single; run += 1) await single(options, cell);
    await block(options, cell, WARM_UP.atOnce);
  }
  const random = randomNumbers(samples);
  const turns = Math.ceil(samples / SAMPLES_PER_BLOCK);
  for (let turn = 0; turn < turns && Date.now() < deadline; turn += 1) {
    onProgress(`turn ${String(turn + 1)} of ${String(turns)}`);
    for (let round = turn; round < samples; round += turns) {
      for (const cell of shuffled(cells, random))
        measurements.addLatency(cell, await single(options, cell));
    }
    for (const cell of shuffled(cells, random)) {
      measurements.addBlock(cell, await blockFigures(options, cell, RUNS_PER_BLOCK));
    }
  }
  return measurements;
}

async function single(
  { subject, http }: MeasureOptions,
  { scenario, variant }: Cell,
): Promise<number> {
  if (variant === 'http') return timeOf(scenario, overHttp(http, subject, scenario));
  return subject.call('run', { scenario, variant });
}

async function block(
  { subject, http }: MeasureOptions,
  { scenario, variant }: Cell,
  runs: number,
): Promise<number> {
  const size = { runs, atOnce: AT_ONCE };
  if (variant === 'http') return timeOfBlock(scenario, size, overHttp(http, subject, scenario));
  return subject.call('block', { scenario, variant, ...size });
}

async function blockFigures(
  options: MeasureOptions,
  cell: Cell,
  runs: number,
): Promise<Parameters<Measurements['addBlock']>[1]> {
  const { subject, server } = options;
  const nodeBefore = await subject.call('cpu', null);
  const serverBefore = await processCpuMs(server.pid);
  const ms = await block(options, cell, runs);
  const nodeAfter = await subject.call('cpu', null);
  const serverAfter = await processCpuMs(server.pid);
  const known = serverBefore !== undefined && serverAfter !== undefined;
  return {
    msPerRun: ms / runs,
    nodeCpuMs: (nodeAfter - nodeBefore) / runs,
    serverCpuMs: known ? (serverAfter - serverBefore) / runs : undefined,
  };
}

function overHttp(
  http: HttpClient,
  subject: SubjectProcess,
  scenario: Scenario,
): () => Promise<unknown> {
  const url = `${subject.url}/pipelines/${PIPELINE_NAMES[scenario]}`;
  return async () => (await http.post(url, INPUT))['result'];
}
