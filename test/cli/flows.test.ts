import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { cli, startCli, useCli, type CliProcess, type CliResult } from '../support/cli.js';
import { shareBundles } from '../support/project-directory.js';
import { writeProject } from '../support/project.js';
import { FLOWS_PROJECT } from './flow-fixtures.js';

jest.setTimeout(60_000);

const TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`;

/** What `flows list --json` prints of each flow, as far as it is looked at. */
interface ListedFlow {
  readonly name: string;
  readonly state: string;
  readonly cursor: unknown;
  readonly nextAt: string | null;
  readonly lastRun: { readonly runSeq: number } | null;
}

let dir = '';
let dev: CliProcess;
const start = useCli();

beforeAll(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'millrace-test-')));
  await shareBundles(dir);
  await writeProject(dir, FLOWS_PROJECT);
  dev = startCli(['dev', '--port', '0', '--ui-port', '0'], { cwd: dir });
  await dev.says(/Watching/);
});

afterAll(async () => {
  await dev.stop('SIGINT');
  await rm(dir, { recursive: true, force: true });
});

const flows = async (...args: readonly string[]): Promise<CliResult> =>
  cli(['flows', ...args], { cwd: dir });

const listed = async (): Promise<readonly ListedFlow[]> =>
  JSON.parse((await flows('list', '--json')).stdout) as readonly ListedFlow[];

const flowNamed = async (name: string): Promise<ListedFlow | undefined> =>
  (await listed()).find((flow) => flow.name === name);

describe('millrace flows', () => {
  it('has a first screen of dev that tries a flow where there is no pipeline', () => {
    expect(dev.output()).toContain('0 pipelines, 5 data flows, 0 operations');
    expect(dev.output()).toMatch(
      /Try it:\n {4}npx millrace flows run count\n {4}curl -X POST http:\S+\/data_flows\/heartbeat\n/,
    );
  });

  it('lists flows with when they run, their next time and their state', async () => {
    const { code, stdout } = await flows('list');
    expect(code).toBe(0);
    const lines = stdout.split('\n').map((line) => line.replace(/ {2,}/g, '  '));
    expect(lines[0]).toBe('NAME  WHEN  NEXT OR DUE  LAST RUN  STATE');
    expect(stdout).toMatch(/^beat +heartbeat 10m, after count +now +enabled$/m);
    expect(stdout).toMatch(new RegExp(`^count +every 6h +${TIME} +enabled$`, 'm'));
    expect(stdout).toMatch(
      new RegExp(String.raw`^doomed +cron 0 3 \* \* \* Europe/Berlin +${TIME} +enabled$`, 'm'),
    );
    expect(stdout).toMatch(/^slow +by hand +enabled$/m);
  });

  it('runs a flow, tells what it has come to, and keeps what was rejected', async () => {
    const { code, stdout, stderr } = await flows('run', 'count');
    expect(stdout).toMatch(
      /^ {2}✓ count {2}run 1 {2}success {2}500 rows in [\d.]+ m?s, [\d,.]+ rows\/s\n {4}495 unpredictable, 5 rejected\n {4}Rejected rows: millrace flows rejections count 1\n$/,
    );
    expect(stderr).toMatch(/flow\/count\/1 {3}http:/);
    expect(code).toBe(0);

    const [text, ndjson, none] = await Promise.all([
      flows('rejections', 'count'),
      flows('rejections', 'count', '1', '--json'),
      flows('rejections', 'slow'),
    ]);
    expect(text.stdout).toContain('Run 1 of count has rejected 5 rows.');
    expect(text.stdout).toContain('100  transform: a round number\n     {"number":100}\n');
    const lines = ndjson.stdout.trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { row: unknown }).row)).toEqual(
      [100, 200, 300, 400, 500].map((number) => ({ number })),
    );
    expect(none.stdout).toContain('None of the last 100 runs of slow has rejected a row.');

    const again = await flows('run', 'count', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({
      flow: 'count',
      runSeq: 2,
      status: 'success',
      trigger: 'manual',
      counts: { read: 0 },
    });
    expect((await flows('list')).stdout).toMatch(
      new RegExp(`^count .*${TIME} success, 0 rows +enabled$`, 'm'),
    );
  });

  it('exits with 1 when the run fails, with why and where', async () => {
    const { code, stdout, stderr } = await flows('run', 'doomed');
    expect(code).toBe(1);
    expect(stdout).toMatch(/✗ doomed {2}run 1 {2}failed {2}3 rows read, 2 written in [\d.]+ m?s, /);
    expect(stderr).toMatch(/^failed {2}the shop is closed\n {4}at \S*flows\/count\.ts:\d+:\d+\n/);
    const [shown, times, failed, others, text, all] = await Promise.all([
      flows('show', 'doomed'),
      flows('show', 'doomed', '--next', '10'),
      flows('runs', 'doomed', '--status', 'failed', '--json'),
      flows('runs', 'doomed', '--status', 'success'),
      flows('runs', 'doomed'),
      flows('runs'),
    ]);
    expect(shown.stdout).toMatch(new RegExp(`^ {2}next +${TIME}, ${TIME}, ${TIME}$`, 'm'));
    expect(times.stdout).toMatch(new RegExp(`^ {2}next +${TIME}\n(?: +${TIME}\n){9}`, 'm'));
    expect(all.stdout).toMatch(
      /^FLOW +RUN +STATUS [^]*\ndoomed +1 +failed [^]*\ncount +2 +success [^]*\ncount +1 +success /,
    );
    expect(shown.stdout).toMatch(/cursor +\{"page":2\}[^]*the shop is closed/);
    expect(JSON.parse(failed.stdout)).toEqual([
      expect.objectContaining({ runSeq: 1, status: 'failed', errorMessage: 'the shop is closed' }),
    ]);
    expect(others.stdout).toBe('There are no such runs.\n');
    expect(text.stdout).toMatch(
      new RegExp(`^1 +failed +manual +${TIME} +[\\d.]+ m?s +3 +2 +0 +the shop is closed$`, 'm'),
    );
  });

  it('writes a line a second where there is no terminal, and leaves a run going at Ctrl-C', async () => {
    await writeFile(join(dir, 'hold'), '');
    const watching = start(['flows', 'run', 'slow'], { cwd: dir });
    await watching.says(
      /^ {2}slow {2}\d+ % {2}\d+ read, \d+ written, [\d.,]+ rows\/s {2}[\d.]+ m?s$/m,
    );
    const { code, stderr } = await watching.stop('SIGINT');
    expect(code).toBe(130);
    expect(stderr).toContain(
      'The run goes on. Follow it: millrace flows run slow --follow 1   Cancel it: millrace cancel flow/slow/1\n',
    );

    const newest = start(['flows', 'run', 'slow', '--follow'], { cwd: dir });
    await newest.says(/slow {2}\d+ %/);
    const [list, second, reset] = await Promise.all([
      flows('list'),
      flows('run', 'slow'),
      flows('reset', 'slow', '--yes'),
    ]);
    expect(list.stdout).toMatch(/^slow +by hand +running 40 %$/m);
    expect(second.code).toBe(2);
    expect(second.stderr).toMatch(
      /Run 1 of "slow" is in_progress.*\nFollow it: millrace flows run slow --follow 1\n/,
    );
    expect([reset.code, reset.stderr]).toEqual([2, expect.stringContaining('Run 1 of "slow"')]);

    await rm(join(dir, 'hold'));
    const [followed, numbered] = await Promise.all([
      newest.ended,
      flows('run', 'slow', '--follow', '1'),
    ]);
    for (const { code: ended, stdout } of [followed, numbered])
      expect([ended, stdout]).toEqual([
        0,
        expect.stringMatching(/✓ slow {2}run 1 {2}success {2}1,000 rows/),
      ]);
    const lines = followed.stderr.split('\n').filter((line) => /^ {2}slow {2}/.test(line));
    expect(lines.length).toBeLessThanOrEqual(6);
  });

  it('moves the cursor back, and exits with 1 when a run is cancelled', async () => {
    const [unasked, moved] = await Promise.all([
      flows('reset', 'slow'),
      flows('reset', 'slow', '--cursor', '100', '--yes'),
    ]);
    expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining('--yes')]);
    expect(moved.stdout).toBe('slow goes on at 100 with its next run.\n');
    expect((await flowNamed('slow'))?.cursor).toBe(100);
    await flows('reset', 'slow', '--yes');

    await writeFile(join(dir, 'hold'), '');
    const id = (await flows('run', 'slow', '--detach')).stdout.trim();
    expect(id).toMatch(/^flow\/slow\/\d+$/);
    expect(await cli(['cancel', id], { cwd: dir })).toMatchObject({
      code: 0,
      stdout: `${id} was asked to end.\n`,
    });
    const { code, stdout, stderr } = await flows('run', 'slow', '--follow', id);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/- slow {2}run \d+ {2}cancelled/)]);
    expect(stderr).toContain('The run was cancelled.');
    const [list, show] = await Promise.all([
      cli(['list', '--json'], { cwd: dir }),
      cli(['show', id], { cwd: dir }),
    ]);
    expect(list.stdout).toContain(`"${id}"`);
    expect(show.stdout).toContain('cancelled');
  });

  it('pauses, resumes and runs past times again', async () => {
    const paused = await flows('pause', 'count', '--note', 'stocktaking');
    expect(paused.stdout).toBe('count is paused: nothing starts it by itself.\n');
    expect((await flows('show', 'count')).stdout).toMatch(
      /count {2}paused[^]*note +stocktaking, by .* \(millrace flows pause\)/,
    );
    expect((await flows('resume', 'count')).stdout).toMatch(
      new RegExp(`^count is enabled\\. Next: ${TIME}\\.\n$`),
    );
    const range = ['--from', '2026-11-01T00:00Z', '--to', '2026-11-01T06:00Z'];
    expect(await flows('backfill', 'count', ...range)).toMatchObject({ code: 0 });
    const scheduled = async (): Promise<readonly unknown[]> => {
      const runs = JSON.parse((await flows('runs', 'count', '--json')).stdout) as readonly {
        readonly trigger: string;
        readonly endedAt: string | null;
      }[];
      return runs.filter(({ trigger, endedAt }) => trigger === 'backfill' && endedAt !== null);
    };
    for (const until = Date.now() + 20_000; (await scheduled()).length < 2;)
      expect(Date.now()).toBeLessThan(until);
    const [none, wrong] = await Promise.all([
      flows('backfill', 'beat', ...range),
      flows('backfill', 'count', '--from', 'monday', '--to', 'x'),
    ]);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('no schedule')]);
    expect(wrong.code).toBe(2);
  });

  it('notes why a flow without a schedule is paused, until it is resumed', async () => {
    const beat = await flows('pause', 'beat', '--json', '--note', 'stocktaking');
    expect(JSON.parse(beat.stdout)).toMatchObject({
      state: 'disabled',
      nextAt: null,
      note: expect.stringMatching(/^stocktaking, by .* \(millrace flows pause\)$/),
    });
    const [shown, list, long] = await Promise.all([
      flows('show', 'beat'),
      flows('list'),
      flows('pause', 'beat', '--note', 'x'.repeat(1_001)),
    ]);
    expect(shown.stdout).toMatch(/beat {2}disabled[^]*note +stocktaking, by /);
    expect(list.stdout).toMatch(/^beat .* disabled: stocktaking, by /m);
    expect([long.code, long.stderr]).toEqual([2, expect.stringContaining("'note'")]);
    expect((await flows('resume', 'beat')).stdout).toContain('beat is enabled.');
    expect((await flows('show', 'beat')).stdout).not.toContain('stocktaking');
  });

  it('changes the interval and the configuration, and refuses what does not fit', async () => {
    const set = await flows(
      'set',
      'count',
      '--interval',
      '90m',
      '--set',
      'upTo=700',
      '--set',
      'label=7',
    );
    expect(set.stdout).toMatch(/when +every 90m/);
    expect(set.stdout).toMatch(/upTo = 700 {2}\(the code says 500\)\n.*label = "7"/);
    const [wrong, unitless, nothing] = await Promise.all([
      flows('set', 'count', '--set', 'upTo=far'),
      flows('set', 'count', '--interval', '15'),
      flows('set', 'count'),
    ]);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("'upTo'")]);
    expect([unitless.code, nothing.code]).toEqual([2, 2]);
    const off = await flows('set', 'count', '--no-enabled', '--unset', 'upTo', '--json');
    expect(JSON.parse(off.stdout)).toMatchObject({
      state: 'disabled',
      enabled: false,
      runInterval: 5400,
      configuration: { upTo: 500, label: '7' },
    });
  });

  it('says which flows there are when one is not there', async () => {
    const [typo, run, never, pipeline, nonsense, help] = await Promise.all([
      flows('run', 'cuont'),
      flows('run', 'count', '--follow', '99'),
      flows('run', 'old', '--follow'),
      cli(['run', 'count'], { cwd: dir }),
      flows('nonsense'),
      flows('--help'),
    ]);
    expect([typo.code, typo.stderr]).toEqual([
      2,
      expect.stringContaining('There is no data flow "cuont". Did you mean "count"?'),
    ]);
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('has no run "99"')]);
    expect([never.code, never.stderr]).toEqual([
      2,
      expect.stringContaining('old has no run yet. Start one: millrace flows run old'),
    ]);
    expect([pipeline.code, pipeline.stderr]).toEqual([
      2,
      expect.stringContaining('"count" is a data flow. Run it: millrace flows run count'),
    ]);
    expect([nonsense.code, help.code]).toEqual([2, 0]);
  });

  it('lists what no code has any more, and removes it when told so: what other code may have only by force', async () => {
    await rm(join(dir, 'flows/old.ts'));
    await dev.says(/4 data flows/);
    const [old, gone, told, kept] = await Promise.all([
      flowNamed('old'),
      flows('run', 'old'),
      flows('prune'),
      flows('prune', '--yes', '--json'),
    ]);
    expect(old?.state).toBe('orphan');
    expect([gone.code, gone.stderr]).toEqual([2, expect.stringContaining('any more')]);
    expect([told.code, told.stdout]).toEqual([
      0,
      expect.stringMatching(
        new RegExp(`^ {2}· old {2}last seen ${TIME}: other code may have it, only --yes --force`),
      ),
    ]);
    expect(JSON.parse(kept.stdout)).toEqual([
      { name: 'old', seenAt: expect.any(String), isOrphaned: false, removed: false },
    ]);
    expect(await flowNamed('old')).toBeDefined();

    const db = new Sqlite(join(dir, '.millrace/catalog.db'));
    db.prepare("update data_flows set seen_at = '2026-01-01T00:00:00.000Z' where name = ?").run(
      'old',
    );
    db.close();
    expect((await flows('prune')).stdout).toContain('· old\n1 orphan.');
    expect(JSON.parse((await flows('prune', '--yes', '--json')).stdout)).toEqual([
      { name: 'old', seenAt: expect.any(String), isOrphaned: true, removed: true },
    ]);
    expect(await flowNamed('old')).toBeUndefined();
    const [none, forced] = await Promise.all([flows('prune'), flows('prune', '--force')]);
    expect(none.stdout).toContain('There are no orphans');
    expect([forced.code, forced.stderr]).toEqual([2, expect.stringContaining('--yes --force')]);
  });

  it('counts runs of long ago, and removes them when told so', async () => {
    const db = new Sqlite(join(dir, '.millrace/catalog.db'));
    db.prepare(
      "update data_flow_runs set ended_at = '2026-01-01T00:00:00.000Z' where run_seq = 1 and data_flow_id = (select id from data_flows where name = 'count')",
    ).run();
    db.close();
    const [wrong, told] = await Promise.all([
      flows('prune', '--runs-older-than', '90'),
      flows('prune', '--runs-older-than', '90d'),
    ]);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('90d')]);
    expect([told.code, told.stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^1 run that ended before ${TIME}\\. Remove it: --yes\n$`)),
    ]);
    const removed = await flows('prune', '--runs-older-than', '90d', '--yes');
    expect(removed.stdout).toMatch(new RegExp(`^Removed 1 run that ended before ${TIME}\\.\n$`));
    const gone = await flows('rejections', 'count', '1');
    expect([gone.code, gone.stderr]).toEqual([2, expect.stringContaining('has no run "1"')]);
  });
});
