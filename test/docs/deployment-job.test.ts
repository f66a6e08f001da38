import { join } from 'node:path';
import { expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { endWalk, notesOf, walked, WALK, WALK_PIPELINE } from '../cli/fixtures.js';
import { cli, useCli, type CliOptions } from '../support/cli.js';
import { describePostgres, usePostgresDatabase } from '../support/postgres.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { projectOf } from './page.js';
import { compiled, useRunningProjects } from './running-project.js';

jest.setTimeout(120_000);

const PAGE = 'docs/deployment.md';

const temporal = useTemporal();
const project = useRunningProjects(temporal);
const start = useCli();

describePostgres(`${PAGE}: a worker as a background job`, () => {
  const database = usePostgresDatabase();

  /** The page's project, with shifts of another length. */
  const deployed = async (
    shiftMs: number,
  ): Promise<CliOptions & { readonly dir: string; readonly main: string }> => {
    const shown = projectOf(PAGE, 'job');
    const name = 'jobs/millrace-worker.ts';
    const job = shown[name] ?? '';
    expect(job).toContain('60 * 60_000');
    const { dir, client } = await project({
      ...shown,
      [name]: job.replace('60 * 60_000', String(shiftMs)),
      'operations/walk.ts': WALK,
      'pipelines/walk.yml': WALK_PIPELINE,
    });
    await compiled(dir, name);
    const env = {
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: client.options.namespace,
      DATABASE_URL: database.url,
    };
    return { dir, cwd: dir, env, main: await compiled(dir, 'jobs.ts') };
  };

  interface Job {
    readonly id: string;
    readonly task_identifier: string;
    readonly running: boolean;
    readonly attempts: number;
    readonly last_error: string | null;
  }

  /** The runner's jobs, once it has made its tables. */
  const jobs = async (): Promise<readonly Job[]> => {
    const client = new pg.Client(database.url);
    await client.connect();
    try {
      const { rows } = await client.query<Job>(
        'select id, task_identifier, locked_at is not null as running, attempts, last_error from graphile_worker.jobs order by id',
      );
      return rows;
    } finally {
      await client.end();
    }
  };

  const RUNNING = {
    id: '1',
    task_identifier: 'millrace_worker',
    running: true,
    attempts: 1,
    last_error: null,
  };

  it('works until the job runner stops, and ends what it has', async () => {
    const { dir, main, ...options } = await deployed(60 * 60_000);
    const runner = start([], { ...options, main });
    await runner.says(/looking for jobs/);
    const notes = join(dir, 'notes.txt');
    await cli(
      ['run', 'walk', '--set', 'steps=600', '--set', `notes=${notes}`, '--detach'],
      options,
    );
    await walked(dir, 1);
    expect(await jobs()).toEqual([RUNNING]);
    const ended = runner.stop('SIGTERM');
    await endWalk(dir);
    expect((await ended).code).toBe(0);
    expect(await notesOf(dir)).toHaveLength(1);
    // Nothing is left of the job: the next start adds another.
    expect(await jobs()).toEqual([]);
    const again = start([], { ...options, main });
    await again.says(/looking for jobs/);
    await until(async () => ((await jobs()).length === 1 ? true : undefined), 30_000);
    expect((await again.stop('SIGTERM')).code).toBe(0);
  });

  it('begins another shift before the runner takes the job for lost', async () => {
    const { dir, main, ...options } = await deployed(3_000);
    const runner = start([], { ...options, main });
    await runner.says(/looking for jobs/);
    await until(async () => {
      const [job] = await jobs();
      return Number(job?.id ?? 0) >= 3 ? true : undefined;
    }, 60_000);
    // The shift that is there by now has the work.
    await endWalk(dir);
    const notes = join(dir, 'notes.txt');
    const { stdout } = await cli(
      ['run', 'walk', '--set', 'steps=1', '--set', `notes=${notes}`],
      options,
    );
    expect(JSON.parse(stdout)).toMatchObject({ walked: 0 });
    expect((await runner.stop('SIGTERM')).code).toBe(0);
  });
});
