/** A number that was measured, and the interval that holds it with 95% confidence. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Values of two cells that were measured in the same round: what disturbed one of them disturbed the other. */
export type Pair = readonly [number, number];

/** Times that the rounds are drawn again. */
const RESAMPLES = 2_000;

/** The middle value. Of nothing: NaN. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which this part of the values lies, interpolated between neighbours. Of nothing: NaN. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = (sorted.length - 1) * part;
  const below = sorted[Math.floor(at)] ?? NaN;
  const above = sorted[Math.ceil(at)] ?? NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** How many times larger the second cell's median is than the first's. */
export function ratioOfMedians(pairs: readonly Pair[]): Estimate {
  return bootstrap(pairs, (first, second) => median(second) / median(first));
}

/** By how much the second cell's median is larger than the first's. */
export function differenceOfMedians(pairs: readonly Pair[]): Estimate {
  return bootstrap(pairs, (first, second) => median(second) - median(first));
}

/**
 * Percentile bootstrap: draws whole rounds with replacement, so that slow changes of the machine count for both cells.
 * https://en.wikipedia.org/wiki/Bootstrapping_(statistics)
 */
function bootstrap(
  pairs: readonly Pair[],
  statistic: (first: readonly number[], second: readonly number[]) => number,
): Estimate {
  const random = randomNumbers(pairs.length);
  const over = (chosen: readonly Pair[]): number =>
    statistic(
      chosen.map(([first]) => first),
      chosen.map(([, second]) => second),
    );
  const values = Array.from({ length: RESAMPLES }, () =>
    over(pairs.map((pair) => pairs[Math.floor(random() * pairs.length)] ?? pair)),
  );
  return { value: over(pairs), low: quantile(values, 0.025), high: quantile(values, 0.975) };
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32), so that a report can be made again. */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The items in random order. */
export function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const order = items.map((item) => ({ item, at: random() }));
  return order.sort((a, b) => a.at - b.at).map(({ item }) => item);
}
