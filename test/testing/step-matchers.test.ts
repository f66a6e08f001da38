import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ROOT } from '../docs/page.js';
import { linkPackages } from '../docs/running-project.js';
import { writeProject } from '../support/project.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { addRunner, runTests } from '../support/test-runners.js';

const dir = useTemporaryDirectory();

/** How each runner is told of the matchers, and their types. */
const BEGINNING = {
  jest: `import { expect, test } from '@jest/globals';
import { stepMatchers, type StepMatchers } from 'millrace/testing';

declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T = unknown> extends StepMatchers<R> {}
}
`,
  vitest: `import { expect, test } from 'vitest';
import { stepMatchers, type StepMatchers } from 'millrace/testing';

declare module 'vitest' {
  interface Matchers<T = any> extends StepMatchers {}
}
`,
} as const;

const TESTS = `
import { error, success } from 'millrace';

expect.extend(stepMatchers);

const done = success({ id: 'c-1', amount: 5, parts: [{ id: 'p-1', size: 2 }] });
const failed = error({ type: 'Declined', message: 'no money', retryable: false });

test('matches', () => {
  expect(done).toBeSuccess();
  expect(done).not.toBeError();
  expect(done).toHaveResultData({ amount: 5 });
  expect(done).toHaveResultData({ id: expect.any(String), parts: [{ size: 2 }] });
  expect(done).not.toHaveResultData({ id: expect.any(Number) });
  expect(done).not.toHaveResultData({ parts: [] });
  expect(failed).not.toBeSuccess();
  expect(failed).toBeError();
  expect(failed).toBeError('Declined');
  expect(failed).not.toBeError('Lost');
  expect(failed).not.toHaveResultData({});
});

test('says why it does not', () => {
  expect(() => expect(failed).toBeSuccess()).toThrow('an error of type Declined: no money');
  expect(() => expect(done).toBeError('Declined')).toThrow('it is a success with {"id":"c-1"');
  expect(() => expect(done).toHaveResultData({ amount: 6 })).toThrow('expected data with {"amount":6}');
  expect(() => expect({ amount: 5 }).toBeSuccess()).toThrow('it is no result of a step');
});

// @ts-expect-error -- a type is a text
export const untyped = () => expect(failed).toBeError(7);
`;

const TYPES = JSON.stringify({
  compilerOptions: {
    target: 'ES2023',
    module: 'NodeNext',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
  },
});

/** What the compiler says of the project. */
async function checkedTypes(): Promise<string> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', dir.path]).catch(
    (error: unknown) => error as { readonly stdout: string },
  );
  return stdout;
}

describe('stepMatchers', () => {
  it.each(['jest', 'vitest'] as const)(
    'are matchers of %s, with their types',
    async (runner) => {
      await writeProject(dir.path, {
        'package.json': '{ "type": "module" }',
        'tsconfig.json': TYPES,
        'test/matchers.test.ts': BEGINNING[runner] + TESTS,
      });
      linkPackages(dir.path);
      await addRunner(runner, dir.path);
      expect(await runTests(runner, { dir: dir.path, timeoutMs: 60_000 })).toBe(2);
      expect(await checkedTypes()).toBe('');
    },
    120_000,
  );
});
