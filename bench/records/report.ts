import { machineLine, type Machine } from '../machine.js';
import type { Peak } from '../measured-process.js';
import { isReached, pairs, ratioTable, spread, whole, type Ratio } from '../ratios.js';
import { ratioOfMedians } from '../statistics.js';
import type { RecordCell } from './cells.js';
import type { RecordResult } from './task.js';
import { wantedRatios, type NamedCell, type WantedRatio } from './wanted.js';

/** One measured process. */
export interface RecordMeasurement extends RecordResult, Peak {
  readonly cell: RecordCell;
}

/** What the report is made of. */
export interface RecordFacts {
  readonly machine: Machine;
  readonly cells: readonly RecordCell[];
  readonly measured: readonly RecordMeasurement[];
  readonly rounds: number;
  /** Sentences about what could not be measured. */
  readonly missing: readonly string[];
  /** What the numbers of records were divided by. */
  readonly scale: number;
  readonly durationMs: number;
}

/** True when every target that was measured is reached by the estimate itself. */
export function isRecordsReached(facts: RecordFacts): boolean {
  return ratios(facts).every(isReached);
}

/** The results as Markdown. */
export function recordReport(facts: RecordFacts): string {
  const cellRows = facts.cells.flatMap((cell) => {
    const found = measuredOf(facts, cell);
    const [first] = found;
    if (first === undefined) return [];
    const records = whole(first.bodies / cell.steps);
    const peaks = found.map(peakOf).map((bytes) => bytes / 1e6);
    return [
      `| ${cell.variant} | ${records} | ${String(cell.steps)} | ${String(found.length)} | ${spread(found.map(rateOf))} | ${spread(peaks)} |`,
    ];
  });
  return [
    `${machineLine(facts.machine)} It took ${(facts.durationMs / 60_000).toFixed(1)} minutes.`,
    ...facts.missing,
    '',
    '| variant | records | steps | runs | bodies/s, median (least to most) | peak memory in MB, median (least to most) |',
    '| --- | --- | --- | --- | --- | --- |',
    ...cellRows,
    '',
    ...ratioTable(ratios(facts)),
  ].join('\n');
}

function ratios(facts: RecordFacts): readonly Ratio[] {
  return wantedRatios(facts.scale).flatMap(({ of, to, value, ...about }) => {
    const found = pairs(valuesOf(facts, to, value), valuesOf(facts, of, value));
    return found.length === 0 ? [] : [{ ...about, estimate: ratioOfMedians(found) }];
  });
}

function valuesOf(
  facts: RecordFacts,
  cell: NamedCell,
  value: WantedRatio['value'],
): readonly number[] {
  return measuredOf(facts, cell).map(value === 'rate' ? rateOf : peakOf);
}

function measuredOf(
  { measured }: RecordFacts,
  { variant, records, steps }: NamedCell,
): readonly RecordMeasurement[] {
  return measured.filter(
    ({ cell }) => cell.variant === variant && cell.records === records && cell.steps === steps,
  );
}

function rateOf({ bodies, ms }: RecordMeasurement): number {
  return (bodies / ms) * 1_000;
}

function peakOf({ peakBytes }: RecordMeasurement): number {
  return peakBytes;
}
