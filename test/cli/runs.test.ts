import { join } from 'node:path';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { cli, startCli, useCli, type CliProcess, type CliResult } from '../support/cli.js';
import { shareBundles } from '../support/project-directory.js';
import { COUNT_WORDS, WORD_REPORT, writeProject } from '../support/project.js';
import { WALKING_PROJECT } from './fixtures.js';

jest.setTimeout(60_000);

const REFUSE = `import { defineOperation, permanent } from 'millrace';
import { z } from 'zod';
export const refuse = defineOperation({
  name: 'refuse',
  reads: z.object({ id: z.number() }),
  run: ({ input }) => { throw permanent('no such customer', { id: input.id }); },
});
`;

const SPLIT = `import { defineOperation } from 'millrace';
import { z } from 'zod';
export const split = defineOperation({
  name: 'split',
  reads: z.object({ text: z.string() }),
  sets: z.object({ parts: z.array(z.string()) }),
  quick: true,
  run: ({ input }) => ({ parts: input.text.split(' ') }),
});
`;

const NAP = `import { setTimeout as pause } from 'node:timers/promises';
import { defineOperation } from 'millrace';
export const nap = defineOperation({
  name: 'nap',
  quick: true,
  run: async () => { await pause(700); return {}; },
});
`;

const PROJECT = {
  ...WALKING_PROJECT,
  'operations/nap.ts': NAP,
  'pipelines/nap.yml': 'name: nap\nstages: [{ name: only, operations: [{ type: nap }] }]\n',
  'operations/count-words.ts': COUNT_WORDS,
  'operations/refuse.ts': REFUSE,
  'operations/split.ts': SPLIT,
  'pipelines/word-report.yml': WORD_REPORT,
  'pipelines/doomed.yml':
    'name: doomed\nstages: [{ name: only, operations: [{ type: refuse }] }]\n',
  'pipelines/parts.yml':
    'name: parts\nresult: all\nstages:\n  - { name: split, operations: [{ type: split }] }\n' +
    '  - { name: explode, operations: [{ type: explode, options: { split: { parts: part } } }] }\n',
};

/** What `show --json` prints, as far as it is looked at. */
interface Shown {
  readonly startedAt: string;
  readonly completedAt: string;
  readonly stages: readonly { readonly operations: readonly { readonly durationMs: number }[] }[];
}

let dir = '';
let dev: CliProcess;
const start = useCli();

beforeAll(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'millrace-test-')));
  await shareBundles(dir);
  await writeProject(dir, PROJECT);
  dev = startCli(['dev', '--port', '0'], { cwd: dir });
  await dev.says(/Watching/);
});

afterAll(async () => {
  await dev.stop('SIGINT');
  await rm(dir, { recursive: true, force: true });
});

const run = async (args: readonly string[], input?: string): Promise<CliResult> =>
  cli(args, { cwd: dir, ...(input !== undefined && { input }) });

describe('millrace run', () => {
  it('runs a pipeline on a document, shows its stages and prints the result as JSON', async () => {
    await writeFile(join(dir, 'document.txt'), 'one two three');
    const { code, stdout, stderr } = await run(['run', 'word-report', '--input', 'document.txt']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ text: 'one two three', words: 3 });
    expect(stderr).toMatch(/✓ count {2}→ words +\d+ ms\n {2}✓ log +\d+ ms\n/);
    expect(stderr).toMatch(
      /pipeline\/word-report\/\w{26} {3}http:\/\/127\.0\.0\.1:\d+\/namespaces\/default\/workflows\//,
    );
  });

  it('takes the text of the one property that is required from the command line', async () => {
    const { code, stdout } = await run(['run', 'word-report', '--text', 'one two three']);
    expect([code, JSON.parse(stdout)]).toEqual([0, { text: 'one two three', words: 3 }]);
  });

  it('says what a pipeline requires where a text can become none of it', async () => {
    const several = await run(['run', 'walk', '--text', 'far']);
    expect(several.code).toBe(2);
    expect(several.stderr).toContain(
      '--text: "walk" does not require exactly one property that is a string, which a text could become ' +
        '(it requires: steps, notes). Name each: --set key=value.',
    );
    const number = await run(['run', 'doomed', '--text', '7']);
    expect(number.stderr).toContain('(it requires: id)');
    const none = await run(['run', 'nap', '--text', 'x']);
    expect(none.stderr).toContain('(it requires: none)');
    const both = await run(['run', 'word-report', '--text', 'x', '--input', '-'], 'y');
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('Use one of them')]);
  });

  it('tells times by the clock on the wall, also of runs with nothing but quick operations', async () => {
    const began = Date.now();
    const { stdout, stderr } = await run(['run', 'nap']);
    const wall = Date.now() - began;
    expect(stdout).toBe('{}\n');
    const [, row = ''] = /✓ only +(\d+) ms\n/.exec(stderr) ?? [];
    const [, id = ''] = /pipeline\/nap\/(\w{26})/.exec(stderr) ?? [];
    const logged = /^{(?=.*"pipe":"nap")(?=.*"msg":"pipe completed").*"durationMs":(\d+)/m;
    const [, line = ''] = await dev.says(logged);
    const { startedAt, completedAt, stages } = JSON.parse(
      (await run(['show', id, '--json'])).stdout,
    ) as Shown;
    const operation = stages[0]?.operations[0]?.durationMs ?? 0;
    const took = Date.parse(completedAt) - Date.parse(startedAt);
    for (const durationMs of [Number(row), Number(line), operation, took]) {
      expect(durationMs).toBeGreaterThanOrEqual(695);
      expect(durationMs).toBeLessThanOrEqual(wall);
    }
  });

  it('takes JSON from a file and from standard input, and single properties', async () => {
    await writeFile(join(dir, 'input.json'), '{"text":"a b"}');
    expect(
      JSON.parse((await run(['run', 'word-report', '-i', 'input.json'])).stdout),
    ).toMatchObject({ words: 2 });
    expect(
      JSON.parse((await run(['run', 'word-report', '-i', '-'], '{"text":"a b c"}')).stdout),
    ).toMatchObject({ words: 3 });
    const set = await run([
      'run',
      'word-report',
      '-i',
      'input.json',
      '--set',
      'text=1 2 3 4',
      '--set',
      'extra={"a":1}',
    ]);
    expect(JSON.parse(set.stdout)).toEqual({ text: '1 2 3 4', words: 4, extra: { a: 1 } });
  });

  it('shows how many namespaces a stage makes of how many', async () => {
    const { code, stdout, stderr } = await run(['run', 'parts', '--set', 'text=a b c']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toHaveLength(3);
    expect(stderr).toContain('1 → 3 namespaces');
  });

  it('refuses what cannot be an input with 2, and says why', async () => {
    await writeFile(join(dir, 'broken.json'), '{');
    await writeFile(join(dir, 'document.txt'), 'one two three');
    const refused = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await run(['run', ...args]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      return stderr;
    };
    expect(await refused('wrod-report')).toContain(
      'There is no pipeline, task or workflow "wrod-report". Did you mean "word-report"?',
    );
    expect(await refused('word-report')).toContain(
      "Property 'text' expected string, got undefined",
    );
    expect(await refused('word-report', '-i', 'broken.json')).toContain('broken.json is no JSON');
    expect(await refused('word-report', '-i', 'nowhere.txt')).toContain('nowhere.txt');
    expect(await refused('walk', '-i', 'document.txt')).toContain('it requires: steps, notes');
    expect(await refused('word-report', '--set', 'text')).toContain('key=value');
  });

  it('exits with 1 when the run fails, and says where and why', async () => {
    const { code, stdout, stderr } = await run(['run', 'doomed', '--set', 'id=7']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('✗ only');
    expect(stderr).toContain('failed  only › refuse: PermanentError: no such customer');
  });

  it('attaches to the run of the same key', async () => {
    const args = ['run', 'word-report', '--set', 'text=a', '--key', 'report-7', '--detach'];
    const [first, second] = [await run(args), await run(args)];
    expect(second.stdout).toBe(first.stdout);
    const other = await run(['run', 'word-report', '--set', 'text=b', '--key', 'report-7']);
    expect(other.code).toBe(2);
  });

  it('leaves the run alone when it is interrupted', async () => {
    const watching = start(
      ['run', 'walk', '--set', 'steps=1000', '--set', `notes=${join(dir, 'notes.txt')}`],
      { cwd: dir },
    );
    await watching.says(/^/);
    const [{ id }] = await runningWalk();
    const { code, stderr } = await watching.stop('SIGINT');
    expect(code).toBe(130);
    expect(stderr).toContain('The run goes on');
    expect((await run(['show', id, '--json'])).stdout).toContain('"status": "running"');
    expect((await run(['cancel', id])).code).toBe(0);
  });
});

describe('millrace list, show and cancel', () => {
  it('show a run while it goes on, and end it', async () => {
    const args = [
      'run',
      'walk',
      '--set',
      'steps=1000',
      '--set',
      `notes=${join(dir, 'notes.txt')}`,
      '--detach',
    ];
    const id = (await run(args)).stdout.trim();
    const executionId = id.slice(id.lastIndexOf('/') + 1);
    await runningWalk();
    const shown = await run(['show', executionId]);
    expect(shown.stdout).toMatch(/^walk {2}running {2}for /);
    expect(shown.stdout).toContain(id);
    expect(shown.stdout).toMatch(/Temporal {2}http:/);

    const cancelled = await run(['cancel', executionId]);
    expect(cancelled.stdout).toBe(`${id} was asked to end.\n`);
    for (;;) {
      const { stdout } = await run(['show', id, '--json']);
      if (stdout.includes('"status": "cancelled"')) break;
    }
    expect(await run(['cancel', id])).toMatchObject({
      code: 1,
      stderr: `${id} is over already: cancelled.\n`,
    });
  });

  it('list runs by name and status, newest first', async () => {
    const id = (await run(['run', 'doomed', '--set', 'id=1', '--detach'])).stdout.trim();
    await run(['run', 'word-report', '--set', 'text=a']);
    for (;;) {
      const { stdout } = await run(['list', 'doomed', '--status', 'failed', '--limit', '1']);
      if (!stdout.includes(id)) continue;
      expect(stdout).toMatch(/^RUN +STATUS +STARTED +TOOK\n/);
      expect(stdout.trim().split('\n')).toHaveLength(2);
      break;
    }
    const all: unknown = JSON.parse((await run(['list', '--json'])).stdout);
    expect(all).toEqual(
      expect.arrayContaining([expect.objectContaining({ id, name: 'doomed', status: 'failed' })]),
    );
    expect((await run(['list', 'nothing'])).stdout).toBe('There are no such runs.\n');
    expect((await run(['list', '--limit', '0'])).code).toBe(2);
  });

  it('say so with 2 when there is no such run', async () => {
    const { code, stderr } = await run(['show', '01JD3M2Z8Q4W6Y9T5R1K7P0XVB']);
    expect(code).toBe(2);
    expect(stderr).toContain('There is no run 01JD3M2Z8Q4W6Y9T5R1K7P0XVB');
    expect((await run(['show', 'what/ever'])).stderr).toContain('is no id of a run');
  });

  it('exit with 3 when no server is known, and when none answers', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'millrace-test-'));
    const unknown = await cli(['list'], { cwd: empty });
    expect(unknown.code).toBe(3);
    expect(unknown.stderr).toContain('No Temporal server is known for');
    const startedAt = Date.now();
    const silent = await cli(['list'], { cwd: empty, env: { TEMPORAL_ADDRESS: '127.0.0.1:9' } });
    expect(silent.code).toBe(3);
    expect(silent.stderr).toContain('No Temporal server answers at 127.0.0.1:9');
    expect(Date.now() - startedAt).toBeLessThan(20_000);
    await rm(empty, { recursive: true });
  });
});

/** The walk that goes on; waits until there is one. */
async function runningWalk(): Promise<readonly [{ readonly id: string }]> {
  for (;;) {
    const [first] = JSON.parse(
      (await run(['list', 'walk', '--status', 'running', '--json'])).stdout,
    ) as { id: string }[];
    if (first !== undefined) return [first];
  }
}
