import { quantile, randomNumbers, shuffled } from './statistics.js';

/** Rounds that are not counted. */
const WARM_UP = 5;

/** Something that is measured in turn with others, and how long it took each time. */
export interface TimedCell {
  readonly name: string;
  readonly run: () => Promise<unknown>;
  /** Milliseconds; filled round by round. */
  readonly times: number[];
}

/** Runs all cells once in each round, in an order that is another one each time. */
export async function measureRounds(cells: readonly TimedCell[], rounds: number): Promise<void> {
  const random = randomNumbers(7);
  for (let round = -WARM_UP; round < rounds; round += 1) {
    for (const { run, times } of shuffled(cells, random)) {
      const startedAt = performance.now();
      await run();
      if (round >= 0) times.push(performance.now() - startedAt);
    }
    if (round % 10 === 9) process.stderr.write(`round ${String(round + 1)} of ${String(rounds)}\n`);
  }
}

/** What the cells took, as a table in Markdown. */
export function cellTable(cells: readonly TimedCell[]): readonly string[] {
  return [
    '| cell | p50, ms | p95, ms |',
    '| --- | --- | --- |',
    ...cells.map(
      ({ name, times }) =>
        `| ${name} | ${quantile(times, 0.5).toFixed(1)} | ${quantile(times, 0.95).toFixed(1)} |`,
    ),
  ];
}
