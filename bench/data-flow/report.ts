import type { Machine } from '../machine.js';
import { median, ratioOfMedians, type Estimate, type Pair } from '../statistics.js';
import type { VariantResult } from './variant.js';

/** Who moves how many rows. */
export interface FlowCell {
  readonly variant: 'bare' | 'control' | 'flow' | 'per-row';
  readonly rows: number;
}

/** One measured process. */
export interface FlowMeasurement extends VariantResult {
  readonly cell: FlowCell;
}

/** What the report is made of. The cells are in the order of their definition. */
export interface FlowFacts {
  readonly machine: Machine;
  readonly cells: readonly FlowCell[];
  readonly measured: readonly FlowMeasurement[];
}

interface FlowTarget {
  readonly figure: string;
  readonly estimate: Estimate;
  readonly limit: number;
  readonly atLeast: boolean;
}

/** True when every target is reached by the estimate itself. */
export function isFlowReached(facts: FlowFacts): boolean {
  return targets(facts).every(isReached);
}

/** The results as Markdown. */
export function flowReport(facts: FlowFacts): string {
  const { machine, cells } = facts;
  const cellRows = cells.map((cell) => {
    const rates = ratesOf(facts, cell);
    const peaks = valuesOf(facts, cell, ({ peakBytes }) => peakBytes / 1e6);
    return `| ${cell.variant} | ${whole(cell.rows)} | ${String(rates.length)} | ${spread(rates)} | ${spread(peaks)} |`;
  });
  const targetRows = targets(facts).map((target) => {
    const { figure, estimate, limit, atLeast } = target;
    const { value, low, high } = estimate;
    const verdict = isReached(target) ? 'reached' : 'missed';
    return `| ${figure} | ${ratio(value)} (${ratio(low)} to ${ratio(high)}) | ${atLeast ? 'at least' : 'at most'} ${String(limit)} | ${verdict} |`;
  });
  return [
    `${machine.date}, ${machine.processor}, ${String(machine.cores)} cores, ${machine.system}, Node ${machine.node}, Temporal ${machine.temporalServer}, load average before ${machine.loadBefore.toFixed(1)}.`,
    '',
    '| variant | rows | runs | rows/s, median (least to most) | peak memory in MB, median (least to most) |',
    '| --- | --- | --- | --- | --- |',
    ...cellRows,
    '',
    '| figure | ratio (95% interval) | target | |',
    '| --- | --- | --- | --- |',
    ...targetRows,
  ].join('\n');
}

function targets(facts: FlowFacts): readonly FlowTarget[] {
  const [bare, control, flow, small, perRow] = facts.cells;
  if (!bare || !control || !flow || !small || !perRow) return [];
  const rates = (first: FlowCell, second: FlowCell): Estimate =>
    ratioOfMedians(pairs(ratesOf(facts, first), ratesOf(facts, second)));
  const peaks = (cell: FlowCell): readonly number[] =>
    valuesOf(facts, cell, ({ peakBytes }) => peakBytes);
  return [
    { figure: 'rows/s, flow / bare', estimate: rates(bare, flow), limit: 0.5, atLeast: true },
    { figure: 'rows/s, control / bare', estimate: rates(bare, control), limit: 0, atLeast: true },
    {
      figure: 'rows/s, flow / one activity per row',
      estimate: rates(perRow, flow),
      limit: 50,
      atLeast: true,
    },
    {
      figure: `peak memory, flow of ${whole(flow.rows)} rows / of ${whole(small.rows)}`,
      estimate: ratioOfMedians(pairs(peaks(small), peaks(flow))),
      limit: 1.2,
      atLeast: false,
    },
  ];
}

function isReached({ estimate, limit, atLeast }: FlowTarget): boolean {
  return atLeast ? estimate.value >= limit : estimate.value <= limit;
}

function ratesOf(facts: FlowFacts, cell: FlowCell): readonly number[] {
  return valuesOf(facts, cell, ({ rows, ms }) => (rows / ms) * 1_000);
}

function valuesOf(
  { measured }: FlowFacts,
  { variant, rows }: FlowCell,
  value: (measurement: FlowMeasurement) => number,
): readonly number[] {
  return measured.filter(({ cell }) => cell.variant === variant && cell.rows === rows).map(value);
}

function pairs(first: readonly number[], second: readonly number[]): readonly Pair[] {
  return first.flatMap((value, at): readonly Pair[] => {
    const other = second[at];
    return other === undefined ? [] : [[value, other]];
  });
}

function spread(values: readonly number[]): string {
  return `${whole(median(values))} (${whole(Math.min(...values))} to ${whole(Math.max(...values))})`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function ratio(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(2);
}
