import { machineLine, type Machine } from '../machine.js';
import { isReached, pairs, ratioTable, spread, whole, type Ratio } from '../ratios.js';
import { ratioOfMedians, type Estimate } from '../statistics.js';
import type { Peak } from '../measured-process.js';
import type { VariantResult } from './variant.js';

/** Who moves how many rows. */
export interface FlowCell {
  readonly variant: 'bare' | 'control' | 'flow' | 'per-row';
  readonly rows: number;
}

/** One measured process. */
export interface FlowMeasurement extends VariantResult, Peak {
  readonly cell: FlowCell;
}

/** What the report is made of. The cells are in the order of their definition. */
export interface FlowFacts {
  readonly machine: Machine;
  readonly cells: readonly FlowCell[];
  readonly measured: readonly FlowMeasurement[];
}

/** True when every target is reached by the estimate itself. */
export function isFlowReached(facts: FlowFacts): boolean {
  return ratios(facts).every(isReached);
}

/** The results as Markdown. */
export function flowReport(facts: FlowFacts): string {
  const cellRows = facts.cells.map((cell) => {
    const rates = ratesOf(facts, cell);
    const peaks = valuesOf(facts, cell, ({ peakBytes }) => peakBytes / 1e6);
    return `| ${cell.variant} | ${whole(cell.rows)} | ${String(rates.length)} | ${spread(rates)} | ${spread(peaks)} |`;
  });
  return [
    machineLine(facts.machine),
    '',
    '| variant | rows | runs | rows/s, median (least to most) | peak memory in MB, median (least to most) |',
    '| --- | --- | --- | --- | --- |',
    ...cellRows,
    '',
    ...ratioTable(ratios(facts)),
  ].join('\n');
}

function ratios(facts: FlowFacts): readonly Ratio[] {
  const [bare, control, flow, small, perRow] = facts.cells;
  if (!bare || !control || !flow || !small || !perRow) return [];
  const rates = (first: FlowCell, second: FlowCell): Estimate =>
    ratioOfMedians(pairs(ratesOf(facts, first), ratesOf(facts, second)));
  const peaks = (cell: FlowCell): readonly number[] =>
    valuesOf(facts, cell, ({ peakBytes }) => peakBytes);
  return [
    {
      figure: 'rows/s, flow / bare',
      estimate: rates(bare, flow),
      target: { limit: 0.5, atLeast: true },
    },
    { figure: 'rows/s, control / bare', estimate: rates(bare, control) },
    {
      figure: 'rows/s, flow / one activity per row',
      estimate: rates(perRow, flow),
      target: { limit: 50, atLeast: true },
    },
    {
      figure: `peak memory, flow of ${whole(flow.rows)} rows / of ${whole(small.rows)}`,
      estimate: ratioOfMedians(pairs(peaks(small), peaks(flow))),
      target: { limit: 1.2, atLeast: false },
    },
  ];
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
