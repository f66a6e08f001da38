import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const run = promisify(execFile);

/**
 * Runs the tests of a project of a page, in its `test/`, by `node --test` as a reader would.
 *
 * @returns what the runner has said, as TAP
 */
export async function runNodeTests(
  dir: string,
  {
    env = {},
    timeoutMs,
  }: { readonly env?: Readonly<Record<string, string>>; readonly timeoutMs: number },
): Promise<string> {
  const files = readdirSync(join(dir, 'test'));
  await build({
    entryPoints: files.map((file) => join(dir, 'test', file)),
    outdir: join(dir, 'compiled'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  });
  const compiled = files.map((file) => join('compiled', file.replace(/\.ts$/, '.mjs')));
  const { NODE_TEST_CONTEXT: _, ...own } = process.env;
  const { stdout } = await run(
    process.execPath,
    ['--test', '--test-reporter=tap', '--test-concurrency=2', ...compiled],
    { cwd: dir, env: { ...own, ...env }, timeout: timeoutMs },
  );
  return stdout;
}
