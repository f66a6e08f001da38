import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { cli, MAIN } from '../support/cli.js';
import { COUNT_WORDS, WORD_REPORT, writeProject } from '../support/project.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const dir = useTemporaryDirectory();

describe('millrace check', () => {
  it('tells everything that is wrong, with its place, and exits with 1', async () => {
    await writeProject(dir.path, {
      'millrace.config.ts': `import { defineConfig } from 'millrace';\nexport default defineConfig({ asyncQeue: 'x' });\n`,
      'operations/count-words.ts': COUNT_WORDS,
      'pipelines/word-report.yml': WORD_REPORT.replace('count-words', 'count-wrods'),
      'pipelines/nameless.yml': 'stages: []\n',
    });
    const { code, stdout } = await cli(['check', '--dir', dir.path], { cwd: '/' });
    expect(code).toBe(1);
    expect(stdout).toContain(
      'millrace.config.ts:2:16  config: unknown option "asyncQeue". Did you mean "asyncQueue"?',
    );
    expect(stdout).toContain(
      'pipelines/word-report.yml:6:26  stage "count": unknown operation type "count-wrods". Did you mean "count-words"?',
    );
    expect(stdout).toContain('pipelines/nameless.yml');
    expect(stdout).toMatch(/\d errors\n$/);
  });

  it('shows what there is when nothing is wrong', async () => {
    await writeProject(dir.path, {
      'operations/count-words.ts': COUNT_WORDS,
      'pipelines/word-report.yml': WORD_REPORT,
    });
    const { code, stdout } = await cli(['check'], { cwd: dir.path });
    expect(stdout).toBe(
      '  ✓ pipeline  word-report  within 30.0 s  count › log\n      { text } → { text, words }\n1 definition, 1 operation, 0 models, nothing wrong.\n',
    );
    expect(code).toBe(0);
  });

  it('counts data flows among the definitions, with their connectors and when they run', async () => {
    await writeProject(dir.path, {
      'flows/orders.yml':
        "name: orders\nschedule: { cron: '0 3 * * *', timezone: Europe/Berlin }\nsource: { class_name: csv, options: { path: a.csv } }\n" +
        'sink: { class_name: ndjson, options: { path: b.ndjson } }\n',
      'flows/stock.ts': `import { defineDataFlow } from 'millrace';
export const stock = defineDataFlow({ name: 'stock', after: ['orders'], timeout: '10m', run: () => {} });
`,
    });
    const { stdout } = await cli(['check'], { cwd: dir.path });
    expect(stdout.replaceAll(/ {3,}/g, '  ')).toBe(
      '  ✓ data flow  stock  within 10 min  after orders\n' +
        '  ✓ data flow  orders  within 1.0 days  csv › ndjson, cron 0 3 * * * Europe/Berlin\n' +
        '2 definitions, 0 operations, 0 models, nothing wrong.\n',
    );
  });

  it('tells what each pipeline takes and leaves, and what is optional of it', async () => {
    const chain = (name: string, stages: string): string => `name: ${name}\n${stages}`;
    await writeProject(dir.path, {
      'operations/note.ts': `import { defineOperation } from 'millrace';
import { z } from 'zod';
export const note = defineOperation({
  name: 'note',
  reads: z.object({ text: z.string(), limit: z.int().default(3) }),
  sets: z.object({ note: z.string().optional() }),
  run: () => ({}),
});
`,
      'pipelines/a.yml': chain('a', 'stages: [{ name: one, operations: [note] }]\n'),
      'pipelines/b.yml': chain('b', 'result: all\nstages: [{ name: one, operations: [log] }]\n'),
      'pipelines/c.yml': chain(
        'c',
        `stages: [{ name: one, operations: [{ type: link, options: { set: { ${Array.from({ length: 14 }, (_, at) => `p${String(at)}: 1`).join(', ')} } } }] }]\n`,
      ),
    });
    const { stdout } = await cli(['check'], { cwd: dir.path });
    expect(stdout).toContain('\n      { text, limit? } → { text, limit?, note? }\n');
    expect(stdout).toContain('\n      {} → [{}]\n');
    expect(stdout).toContain('p11, … 2 more }\n');
  });

  it('tells warnings, and exits with 0 when there is nothing else', async () => {
    await writeProject(dir.path, {
      'operations/count-words.ts': COUNT_WORDS,
      'operations/forgotten.ts': COUNT_WORDS.replace('export const', 'const'),
      'pipelines/word-report.yml': WORD_REPORT.replace('30s', '30'),
    });
    const { code, stdout } = await cli(['check'], { cwd: dir.path });
    expect(code).toBe(0);
    expect(stdout).toContain(
      'operations/forgotten.ts  warning:  exports no definition. Did you forget `export`?',
    );
    expect(stdout).toContain(
      "pipelines/word-report.yml:3:10  warning:  timeout: 30 is 30 milliseconds. Did you mean '30s'?",
    );
    expect(stdout).toMatch(/2 warnings\n[^]*1 definition, 1 operation, 0 models, no errors\.\n$/);
  });

  it('says so when there is no such folder, and when the folder holds nothing', async () => {
    const missing = await cli(['check', '--dir', `${dir.path}/nowhere`], { cwd: dir.path });
    expect(missing).toMatchObject({ code: 1 });
    expect(missing.stdout).toContain(`There is no folder ${dir.path}/nowhere`);
    const empty = await cli(['check'], { cwd: dir.path });
    expect(empty).toMatchObject({ code: 0 });
    expect(empty.stdout).toContain('Nothing is defined here yet');
  });
});

describe('the command line', () => {
  it('explains itself, and refuses what it does not know with 2', async () => {
    const help = await cli(['--help'], { cwd: dir.path });
    expect(help.code).toBe(0);
    for (const word of [
      'dev',
      'server',
      'worker',
      'check',
      'run',
      'list',
      'show',
      'cancel',
      'flows',
      'Exit codes',
    ]) {
      expect(help.stdout).toContain(word);
    }
    expect(await cli(['run', '--help'], { cwd: dir.path })).toMatchObject({ code: 0 });
    expect((await cli(['--version'], { cwd: dir.path })).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(await cli(['nonsense'], { cwd: dir.path })).toMatchObject({ code: 2, stdout: '' });
    expect(await cli(['dev', '--port', 'abc'], { cwd: dir.path })).toMatchObject({ code: 2 });
    expect(await cli([], { cwd: dir.path })).toMatchObject({ code: 0 });
  });

  it('ends quietly when nobody reads on', async () => {
    const { stdout, stderr } = await promisify(execFile)('bash', [
      '-c',
      '"$0" "$1" --help | true; echo "${PIPESTATUS[0]}"',
      process.execPath,
      MAIN,
    ]);
    expect([stdout, stderr]).toEqual(['0\n', '']);
  });
});
