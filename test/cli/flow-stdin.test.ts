import { existsSync } from 'node:fs';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { cli, startCli, type CliProcess, type CliResult } from '../support/cli.js';
import { shareBundles } from '../support/project-directory.js';
import { writeProject } from '../support/project.js';
import { config } from './fixtures.js';

jest.setTimeout(60_000);

const PIPED = `name: piped
source: { class_name: csv, options: { path: '-' } }
transform: { class_name: columns, options: { columns: { id: integer, name: text } } }
sink: { class_name: ndjson, options: { path: out/piped.ndjson } }
`;

let dir = '';
let dev: CliProcess;

beforeAll(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'millrace-test-')));
  await shareBundles(dir);
  await writeProject(dir, {
    'millrace.config.ts': config(),
    'flows/piped.yml': PIPED,
    'flows/file.yml': PIPED.replace('piped', 'file').replace("'-'", 'orders.csv'),
  });
  dev = startCli(['dev', '--port', '0', '--ui-port', '0'], { cwd: dir });
  await dev.says(/Watching/);
});

afterAll(async () => {
  await dev.stop('SIGINT');
  await rm(dir, { recursive: true, force: true });
});

const pipe = async (input: string, flow = 'piped'): Promise<CliResult> =>
  cli(['flows', 'run', flow, '--stdin'], { cwd: dir, input });

describe('millrace flows run --stdin', () => {
  it('hands what is piped into it to the source, once for each time, and keeps nothing of it', async () => {
    expect(await pipe('id,name\n1,one\n2,two\n')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('2 rows'),
    });
    expect(await pipe('id,name\n3,three\n')).toMatchObject({ code: 0 });
    const lines = (await readFile(join(dir, 'out/piped.ndjson'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { id: 1, name: 'one' },
      { id: 2, name: 'two' },
      { id: 3, name: 'three' },
    ]);
    expect(existsSync(join(dir, '.millrace/spool/piped'))).toBe(false);
  });

  it('keeps it when the run fails, and tells the line that is wrong', async () => {
    const { code, stderr } = await pipe('id,name\n4,four\n5,"five\n6,six\n');
    expect(code).toBe(1);
    expect(stderr).toContain('line 3: Quote Not Closed');
    expect(existsSync(join(dir, '.millrace/spool/piped'))).toBe(true);
  });

  it('is refused for a flow that reads something else', async () => {
    const { code, stderr } = await pipe('id,name\n', 'file');
    expect(code).toBe(2);
    expect(stderr).toContain('"file" does not read standard input');
  });

  it('is asked for by a flow that was started without it', async () => {
    await rm(join(dir, '.millrace/spool'), { recursive: true, force: true });
    const { code, stderr } = await cli(['flows', 'run', 'piped'], { cwd: dir });
    expect(code).toBe(1);
    expect(stderr).toContain('millrace flows run piped --stdin < FILE');
  });
});
