import { median, type Estimate, type Pair } from './statistics.js';

/** How many times one figure is another, and what that is to be. */
export interface Ratio {
  readonly figure: string;
  readonly estimate: Estimate;
  /** Absent where it only tells how far the others can be trusted. */
  readonly target?: { readonly limit: number; readonly atLeast: boolean };
}

/** True when the estimate itself is within the target. */
export function isReached({ estimate, target }: Ratio): boolean {
  if (target === undefined) return true;
  return target.atLeast ? estimate.value >= target.limit : estimate.value <= target.limit;
}

/** The ratios as a table in Markdown. */
export function ratioTable(ratios: readonly Ratio[]): readonly string[] {
  return [
    '| figure | ratio (95% interval) | target | |',
    '| --- | --- | --- | --- |',
    ...ratios.map((one) => `| ${one.figure} | ${withInterval(one.estimate)} | ${verdict(one)} |`),
  ];
}

/** Values of two cells, round by round. */
export function pairs(first: readonly number[], second: readonly number[]): readonly Pair[] {
  return first.flatMap((value, at): readonly Pair[] => {
    const other = second[at];
    return other === undefined ? [] : [[value, other]];
  });
}

/** The middle, and what it lies between. */
export function spread(values: readonly number[]): string {
  return `${whole(median(values))} (${whole(Math.min(...values))} to ${whole(Math.max(...values))})`;
}

/** A number without a fraction. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function withInterval({ value, low, high }: Estimate): string {
  // Measured once, it has none.
  if (low === high) return ratio(value);
  return `${ratio(value)} (${ratio(low)} to ${ratio(high)})`;
}

function verdict(one: Ratio): string {
  const { target } = one;
  if (target === undefined) return '– | ';
  const limit = `${target.atLeast ? 'at least' : 'at most'} ${String(target.limit)}`;
  return `${limit} | ${isReached(one) ? 'reached' : 'missed'}`;
}

function ratio(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(2);
}
