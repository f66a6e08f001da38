import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { cli, startCli, type CliProcess, type CliResult } from '../support/cli.js';
import { shareBundles } from '../support/project-directory.js';
import { writeProject } from '../support/project.js';
import { uniqueTaskQueue, useTemporal } from '../support/temporal.js';
import { config } from './fixtures.js';

jest.setTimeout(120_000);

const temporal = useTemporal();

const BOXES = `entity_type: box
label: Box
attributes:
  - { name: width, data_type: integer }
  - { name: colour, data_type: text }
  - name: area
    data_type: integer
    editable: 'no'
    pipeline:
      modules:
        - { module: attributes_source, settings: { attributes: [width] } }
        - { module: calculation, settings: { code: 'return $json.width ** 2' } }
  - name: label
    data_type: text
    editable: 'no'
    pipeline:
      on_error: continue
      modules:
        - { module: attributes_source, settings: { attributes: [area, colour] } }
        - module: calculation
          settings: { code: 'if ($json.colour === null) throw new Error("no colour"); return $json.colour + $json.area' }
`;

describe('millrace attributes', () => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-attributes-cli-')));
  let worker: CliProcess;
  let env: Readonly<Record<string, string>>;

  const run = (...args: readonly string[]): Promise<CliResult> =>
    cli(['attributes', ...args], { cwd: dir, env });
  const save = (file: string, text: string): void => {
    writeFileSync(join(dir, file), text);
  };

  beforeAll(async () => {
    env = { TEMPORAL_ADDRESS: temporal.address, DATABASE_URL: `sqlite:${join(dir, 'catalog.db')}` };
    await shareBundles(dir);
    await writeProject(dir, {
      'millrace.config.ts': config(uniqueTaskQueue()),
      'boxes.yml': BOXES,
    });
    worker = startCli(['worker'], { cwd: dir, env });
    await worker.says(/worker ready/);
  });
  afterAll(async () => {
    await worker.stop('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });

  it('brings a catalog to what a file says, as often as one likes', async () => {
    const first = await run('apply', 'boxes.yml');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout.match(/added/g)).toHaveLength(7);
    const again = await run('apply', 'boxes.yml', '--json');
    const parts = JSON.parse(again.stdout) as readonly { readonly done: string }[];
    expect(parts.map(({ done }) => done)).toEqual(Array(7).fill('unchanged'));
    save(
      'changed.yml',
      BOXES.replace('** 2', '* $json.width').replace('label: Box', 'label: Boxes'),
    );
    const changed = await run('apply', 'changed.yml');
    expect(changed.stdout).toMatch(/✓ box {2}changed {2}entity type\n/);
    expect(changed.stdout).toMatch(/✓ box\.area {2}changed {2}pipeline\n/);
    expect(changed.stdout.match(/unchanged/g)).toHaveLength(5);
    expect((await run('list')).stdout).toMatch(/box\.area +2 +by itself +never run/);
  });

  it.each([
    [
      'a key that there is none of',
      BOXES.replace('editable', 'editabel'),
      /bad\.yml:8:5.*"editable"/,
      1,
    ],
    [
      'another type',
      BOXES.replace('width, data_type: integer', 'width, data_type: text'),
      /box\.width is there as integer/,
      2,
    ],
    [
      'settings that are wrong',
      BOXES.replace('** 2', '** )'),
      /box\.area: modules\[1\]\.settings\.code/,
      2,
    ],
    ['no YAML', 'attributes: [', /bad\.yml:1/, 1],
  ])('refuses a file with %s', async (_what, text, told, exit) => {
    save('bad.yml', text);
    const { code, stderr } = await run('apply', 'bad.yml');
    expect(stderr).toMatch(told);
    expect(code).toBe(exit);
  });

  it('imports what fits, and tells what does not', async () => {
    save('boxes.csv', '\uFEFFsku,width,colour\na,2,red\nb,3,\n');
    const { code, stdout } = await run('import', 'box', 'boxes.csv', '--key', 'sku', '--json');
    expect([code, JSON.parse(stdout)]).toEqual([0, { read: 2, added: 2, changed: 0 }]);
    save('bad.csv', 'sku,width,size\nc,wide,1\n');
    const refused = await run('import', 'box', 'bad.csv', '--key', 'sku');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/row 1: width is a whole number.*"wide"/);
    expect(refused.stderr).toMatch(/There is no attribute "size"/);
    const missing = await run('import', 'box', 'boxes.csv', '--key', 'code');
    expect([missing.code, missing.stderr]).toEqual([
      2,
      expect.stringContaining('has nothing in the column "code"'),
    ]);
  });

  it('runs pipelines in their order, and tells what they have come to', async () => {
    const all = await run('run', '--all', '--force');
    expect([all.code, all.stdout.replace(/ in .*/g, '')]).toEqual([
      0,
      '  ✓ box.area  completed  2 computed\n  ✓ box.label  completed  1 computed, 1 failed\n  ✓ 2 completed, 0 failed\n',
    ]);
    const { code, stdout } = await run(
      'run',
      'box.area',
      '--force',
      '--where',
      'width>2',
      '--json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'completed', counts: { processed: 1 } });
    const several = await run('run', 'box.label', 'box.area', '--max', '1', '--queue', '--json');
    expect(JSON.parse(several.stdout)).toMatchObject({
      completed: 2,
      failed: 0,
      runs: [{ attribute: 'area' }, { attribute: 'label' }],
    });
    const unchanged = await run('run', 'box.area');
    expect(unchanged.stdout).toMatch(/✓ box\.area {2}completed {2}0 computed/);
    const quote = await run('quote', 'box.area', '--force');
    expect(quote.stdout).toMatch(/box\.area {2}2 entities would be computed/);
  });

  it('takes what has failed in a run again', async () => {
    const failed = await run('run', 'box.label', '--force', '--json');
    const { id, counts } = JSON.parse(failed.stdout) as {
      readonly id: string;
      readonly counts: object;
    };
    expect(counts).toMatchObject({ processed: 1, failed: 1 });
    save('colours.csv', 'sku,colour\nb,blue\n');
    await run('import', 'box', 'colours.csv', '--key', 'sku');
    const again = await run('run', 'box.label', '--retry', id, '--queue', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ counts: { failed: 0 } });
    const explained = await run('explain', 'box.b', 'label');
    expect(explained.stdout).toMatch(/label +"blue9"\n/);
    expect(explained.stdout).toMatch(/stale +no\n/);
  });

  it.each([
    [['run', 'box.nothing'], 2, /There is no pipeline "box\.nothing"/],
    [['run', 'box'], 2, /Names are like product\.area/],
    [['run'], 2, /Name pipelines/],
    [['run', 'box.area', '--where', 'size>2'], 2, /size/],
    [['run', 'box.area', '--max', '0'], 2, /write a whole number from 1/],
    [['explain', 'box.z', 'area'], 2, /There is no entity "box\.z"/],
    [['evals', 'box.nothing'], 2, /There is no pipeline/],
  ])('%j exits with %i', async (args, code, told) => {
    const result = await run(...args);
    expect(result.stderr).toMatch(told);
    expect(result.code).toBe(code);
  });

  it('starts a run without waiting for it, and lists what there is', async () => {
    const { code, stdout } = await run('run', 'box.area', '--detach', '--queue');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^attribute_pipeline\/box\.area\//)]);
    const listed = await run('list', '--json');
    const pipelines = JSON.parse(listed.stdout) as readonly unknown[];
    expect(pipelines).toHaveLength(2);
    const runs = await cli(['list', 'box.area', '--json'], { cwd: dir, env });
    const ids = (JSON.parse(runs.stdout) as readonly { readonly id: string }[]).map(({ id }) => id);
    expect(ids).toContain(stdout.trim());
  });
});
