import pc from 'picocolors';
import type { FlowRunRecord, FlowRunStatus } from '../../src/data-flow/catalog.js';
import type { RowCounts } from '../../src/data-flow/row.js';
import { counted } from '../problem-report.js';

/** An interval as a definition writes it: `5m`, `36h`. */
export function formatInterval(seconds: number): string {
  const [size, unit] = UNITS.find(([unitSeconds]) => seconds % unitSeconds === 0) ?? [1, 's'];
  return `${String(seconds / size)}${unit}`;
}

const UNITS: readonly (readonly [number, string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'm'],
];

/** A status of a flow's run in its colour. */
export function formatRunStatus(status: FlowRunStatus): string {
  switch (status) {
    case 'success':
      return pc.green(status);
    case 'pending':
    case 'in_progress':
      return pc.cyan(status);
    case 'cancelled':
      return pc.yellow(status);
    case 'failed':
      return pc.red(status);
  }
}

/** `10,000`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en');
}

/** `8,300 rows/s`; one that is slow keeps a decimal. */
export function formatRate(rowsPerSecond: number): string {
  const shown =
    rowsPerSecond < 10 ? String(Math.round(rowsPerSecond * 10) / 10) : formatCount(rowsPerSecond);
  return `${shown} rows/s`;
}

/** A share of everything: `58 %`. All of it is only told of what is over. */
export function formatFraction(fraction: number): string {
  return `${String(Math.min(99, Math.floor(fraction * 100)))} %`;
}

/** What has become of the rows of a run, without what has happened to none: `9,961 new, 15 rejected`. */
export function formatOutcomes(counts: RowCounts): string {
  return OUTCOMES.flatMap((name) => {
    const text = `${formatCount(counts[name])} ${name}`;
    return counts[name] === 0 ? [] : [name === 'rejected' ? pc.yellow(text) : text];
  }).join(', ');
}

const OUTCOMES = ['new', 'updated', 'redundant', 'unpredictable', 'rejected', 'skipped'] as const;

/** `10,000 rows`, of a run. */
export function formatRows({ counts }: FlowRunRecord): string {
  return counted(counts.read, 'row');
}

/** How long a run has taken, until now while it goes on; in milliseconds. */
export function durationOf({ startedAt, endedAt }: FlowRunRecord, now = Date.now()): number {
  return Math.max(0, (endedAt?.getTime() ?? now) - startedAt.getTime());
}
