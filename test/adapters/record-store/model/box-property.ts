import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import type { VersionsOfRuns } from '../../../../src/record-store/store.js';
import { BoxMachine } from './box-machine.js';
import { sequences } from './steps.js';

/** When runs make versions: what sequences are tried with. */
export const POLICIES: readonly VersionsOfRuns[] = ['none', 'transaction'];

/** The seed that a failure has told, to try the same sequences again. */
const SEED = process.env['MILLRACE_MODEL_SEED'];

/** How many sequences are tried, unless somebody wants more. */
export function casesOr(usual: number): number {
  return Number(process.env['MILLRACE_MODEL_CASES'] ?? usual);
}

/**
 * Does random sequences of steps to stores and to plain models of them, and compares the two after each step. A failure tells its
 * seed, and the shortest sequence that it finds.
 */
export async function tryBoxes(
  dir: string,
  duringRuns: VersionsOfRuns,
  cases: number,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(sequences, async (steps) => {
      const machine = new BoxMachine(await mkdtemp(join(dir, 's')), duringRuns);
      try {
        for (const step of steps) await machine.do(step);
        machine.end();
      } finally {
        machine.close();
      }
    }),
    { numRuns: cases, ...(SEED !== undefined && { seed: Number(SEED) }) },
  );
}
