import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';

class OurError extends Error {}

describe('the test environment', () => {
  it('takes errors of Node for errors, as production does', async () => {
    const error = await readFile('/nowhere/at/all').catch((caught: unknown) => caught);
    expect(error instanceof Error).toBe(true);
    expect(error instanceof TypeError).toBe(false);
    expect(error instanceof OurError).toBe(false);
  });

  it('takes errors of the language and of our own for what they are', () => {
    const error = thrownBy(() => JSON.parse('{'));
    expect(error instanceof SyntaxError && error instanceof Error).toBe(true);
    expect(new OurError() instanceof Error && new OurError() instanceof OurError).toBe(true);
    expect(new Error() instanceof OurError).toBe(false);
    expect({} instanceof Error).toBe(false);
  });

  it('takes type errors of Node for type errors', () => {
    expect(thrownBy(() => new URL('nonsense')) instanceof TypeError).toBe(true);
  });
});

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
