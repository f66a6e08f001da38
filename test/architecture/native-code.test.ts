import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const DIST = join(import.meta.dirname, '../../dist');
const run = promisify(execFile);

/** What importing a file of the built package loads of Temporal's native code: paths of `.node` files. */
async function nativeCodeOf(file: string): Promise<readonly string[]> {
  const program = `await import(${JSON.stringify(join(DIST, file))});
const { sharedObjects } = process.report.getReport();
process.stdout.write(JSON.stringify(sharedObjects.filter((path) => path.endsWith('.node'))));
process.exit(0);`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
  return JSON.parse(stdout) as readonly string[];
}

describe("Temporal's native code", () => {
  it('is not loaded by who imports millrace', async () => {
    expect(await nativeCodeOf('src/index.js')).toEqual([]);
  });

  it('is loaded by who imports millrace/worker', async () => {
    expect(await nativeCodeOf('worker/index.js')).toEqual([expect.stringContaining('core-bridge')]);
  });
});
