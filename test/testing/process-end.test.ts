import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { until } from '../support/until.js';
import { linkPackages } from '../docs/running-project.js';
import { writeProject } from '../support/project.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const dir = useTemporaryDirectory();

/** Runs a pipeline on the server that is started for it, with nothing to end it, and tells where that server is. */
const TEST = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineOperation, definePipeline } from 'millrace';
import { runPipeline } from 'millrace/testing';
import { z } from 'zod';

const add = defineOperation({
  name: 'add',
  reads: z.object({ n: z.number() }),
  sets: z.object({ n: z.number() }),
  run: ({ input }) => ({ n: input.n + 1 }),
});
const adding = definePipeline({ name: 'adding', stages: [{ name: 'add', operations: [add] }] });

for (const n of [1, 2])
  test('adds to ' + n, async () => {
    const { result } = await runPipeline(adding, { input: { n } });
    assert.deepEqual(result, { n: n + 1 });
  });
`;

describe('a process that has run tests', () => {
  it('ends by itself, and with it the server that its runs have shared', async () => {
    await writeProject(dir.path, { 'package.json': '{ "type": "module" }', 'own.test.mjs': TEST });
    linkPackages(dir.path);
    const { NODE_TEST_CONTEXT: _, TEMPORAL_ADDRESS: _address, ...env } = process.env;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--test', '--test-reporter=tap', 'own.test.mjs'],
      // What keeps it from ending would have it killed here.
      { cwd: dir.path, env: { ...env, TMPDIR: dir.path }, timeout: 50_000 },
    );
    expect(stdout).toMatch(/^# pass 2$/m);
    // Nobody else has servers whose logs are in this folder.
    await until(async () => ((await serversOf(dir.path)).length === 0 ? true : undefined));
  }, 60_000);
});

/** The processes that have a file open in a folder. */
async function serversOf(folder: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    `for pid in /proc/[0-9]*; do ls -l "$pid/fd" 2>/dev/null | grep -q "$1" && echo "$pid"; done; true`,
    'sh',
    folder,
  ]);
  return stdout.split('\n').filter((line) => line !== '');
}
