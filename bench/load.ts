import { GRADE, INPUT } from './steps.js';
import type { Scenario } from './cells.js';

/** A run that ended with another result than it should: its time would say nothing. */
export class WrongResult extends Error {
  override readonly name = 'WrongResult';
  constructor(
    readonly scenario: Scenario,
    readonly result: unknown,
  ) {
    super(`scenario ${scenario} ended with ${JSON.stringify(result)}`);
  }
}

/** Milliseconds that one run takes, from asking for it to having its result. */
export async function timeOf(scenario: Scenario, run: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  const result = await run();
  const ms = performance.now() - startedAt;
  requireResult(scenario, result);
  return ms;
}

/** Milliseconds that many runs take with so many of them at once: when one ends, the next one starts. */
export async function timeOfBlock(
  scenario: Scenario,
  { runs, atOnce }: { readonly runs: number; readonly atOnce: number },
  run: () => Promise<unknown>,
): Promise<number> {
  let left = runs;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: Math.min(runs, atOnce) }, async () => {
      while (left > 0) {
        left -= 1;
        requireResult(scenario, await run());
      }
    }),
  );
  return performance.now() - startedAt;
}

function requireResult(scenario: Scenario, result: unknown): void {
  const right =
    typeof result === 'object' && result !== null && 'text' in result && result.text === INPUT.text;
  const graded = scenario === 'a' || (right && 'grade' in result && result.grade === GRADE);
  if (!right || !graded) throw new WrongResult(scenario, result);
}
