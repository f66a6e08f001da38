import { afterAll, describe, expect, it } from '@jest/globals';
import { quickjsSandbox } from '../../../adapters/sandbox/quickjs-sandbox.js';
import { SandboxError } from '../../../adapters/sandbox/sandbox-errors.js';
import type { ScriptItem } from '../../../src/attribute-pipeline/sandbox.js';
import { BOMBS } from './bombs.js';
import { LEAVING, REACHING, type Attempt } from './escapes.js';

const item = (n: number): ScriptItem => ({
  entityId: `e${String(n)}`,
  inputs: { n },
  value: null,
  meta: {},
});

describe('a script that', () => {
  const limits = { memoryBytes: 16 * 1_024 * 1_024, outputCharacters: 1_000_000 };
  const hasty = quickjsSandbox({ ...limits, timeoutMs: 300 });
  // What is to meet another limit first needs the time for it, also on a machine that is busy.
  const patient = quickjsSandbox({ ...limits, timeoutMs: 10_000 });
  afterAll(() => Promise.all([hasty.close(), patient.close()]));

  async function check({ code, gives }: Attempt): Promise<void> {
    const isEndless = 'fails' in gives || ('lost' in gives && gives.lost === 'timeout');
    const sandbox = isEndless ? hasty : patient;
    const running = sandbox.run(code, [item(1), item(2)]);
    if ('fails' in gives) {
      const outcome = await running.then(
        (outcomes) => outcomes[1],
        (error: unknown) => error,
      );
      const isLost = outcome instanceof SandboxError;
      expect(isLost || outcome).toEqual(isLost || expect.objectContaining({ kind: 'error' }));
    } else if ('lost' in gives) {
      await expect(running).rejects.toMatchObject({ name: 'SandboxError', reason: gives.lost });
    } else {
      const outcomes = await running;
      expect(outcomes).toHaveLength(2);
      expect(outcomes[1]).toMatchObject(
        'value' in gives
          ? { kind: 'ok', value: gives.value }
          : { kind: 'error', message: expect.stringMatching(gives.error) },
      );
    }
    // Whatever it was, the next batch is none the worse for it.
    const next = await sandbox.run('return $json.n * 2;', [item(3), item(4)]);
    expect(next).toMatchObject([{ value: 6 }, { value: 8 }]);
  }

  it.each(REACHING.map((attempt) => [attempt.name, attempt] as const))(
    '%s, finds nothing',
    async (_, attempt) => check(attempt),
  );

  it.each(LEAVING.map((attempt) => [attempt.name, attempt] as const))(
    '%s, leaves nothing to the next',
    async (_, attempt) => check(attempt),
  );

  it.each(BOMBS.map((attempt) => [attempt.name, attempt] as const))(
    '%s, costs its batch an error, and nobody else',
    async (_, attempt) => check(attempt),
  );
});
