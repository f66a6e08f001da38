import { afterEach, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { defineDataFlow, type DataFlow } from '../../src/data-flow/data-flow.js';
import type { ConfigDefinition } from '../../src/config/config.js';
import type { Duration } from '../../src/definition/duration.js';
import { collecting, useFlowStack, type FlowStackOptions } from '../support/flow-stack.js';
import { endOf, listSink, listSource, numbered, uniqueFlow } from '../support/flows.js';
import { post, send, useServers, type Answer } from '../support/http-api.js';
import {
  createPostgresDatabase,
  describePostgres,
  execute,
  type PostgresDatabase,
} from '../support/postgres.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
const start = useFlowStack(temporal);
const serve = useServers();

/** A flow that heartbeats start. */
function beating(
  name: string,
  every: Duration,
  run: () => Promise<void> | void = () => undefined,
): DataFlow {
  return defineDataFlow({
    name,
    schedule: { heartbeat: { every } },
    retry: { maximumAttempts: 1 },
    run,
  });
}

const HEARTBEAT = '/data_flows/heartbeat';

function counts({ status, body }: Answer): readonly unknown[] {
  return [status, body['flows_due'], body['flows_triggered']];
}

describe('the heartbeat', () => {
  it('starts a flow that has never run, which then runs to its end and is told in flow and run', async () => {
    const name = uniqueFlow();
    const written: unknown[] = [];
    const flow = defineDataFlow({
      name,
      schedule: { heartbeat: { every: '10m' } },
      source: listSource(() => numbered(450)),
      sink: listSink(written as never),
    });
    const { engine, flows } = await start({ flows: [flow] });
    const { url } = await serve(engine);
    const before = Date.now();
    const answer = await post(`${url}${HEARTBEAT}`);
    expect(counts(answer)).toEqual([200, 1, 1]);
    expect(Object.keys(answer.body)).toEqual(['flows_due', 'flows_triggered', 'timestamp']);
    const timestamp = String(answer.body['timestamp']);
    expect(new Date(timestamp).toISOString()).toBe(timestamp);
    expect(new Date(timestamp).getTime()).toBeGreaterThanOrEqual(before);
    const [run] = await flows.runs(name, { limit: 1 });
    await endOf(flows, run!);
    const { body } = await send(`${url}/data_flows/${name}/runs/1`);
    expect(body).toMatchObject({
      run_seq: 1,
      status: 'success',
      trigger: 'heartbeat',
      rows_read: 450,
      rows_written: 450,
      batches: 3,
    });
    expect((await send(`${url}/data_flows/${name}`)).body).toMatchObject({
      last_run_status: 'success',
      last_run_at: body['started_at'],
      last_run_seq: 1,
    });
    expect(written).toHaveLength(450);
  });

  it('starts flows of different intervals each at its own time, and none that is disabled', async () => {
    const [often, seldom, disabled] = [uniqueFlow('a'), uniqueFlow('b'), uniqueFlow('c')];
    const stack = await start({
      flows: [beating(often, '1s'), beating(seldom, '1h'), beating(disabled, '1s')],
    });
    const { url } = await serve(stack.engine);
    await stack.flows.change(disabled, { enabled: false });
    expect(counts(await post(`${url}${HEARTBEAT}`))).toEqual([200, 2, 2]);
    for (const name of [often, seldom]) {
      const [run] = await stack.flows.runs(name, { limit: 1 });
      await endOf(stack.flows, run!);
    }
    await delay(1_050);
    expect(counts(await post(`${url}${HEARTBEAT}`))).toEqual([200, 1, 1]);
    const runsOf = async (name: string): Promise<number> =>
      (await stack.flows.runs(name, { limit: 10 })).length;
    expect(await Promise.all([often, seldom, disabled].map(runsOf))).toEqual([2, 1, 0]);
  });

  it('waits for no run, and counts no flow whose run goes on as triggered', async () => {
    const name = uniqueFlow();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { engine, flows } = await start({ flows: [beating(name, '1s', () => gate)] });
    const { url } = await serve(engine);
    const began = performance.now();
    expect(counts(await post(`${url}${HEARTBEAT}`))).toEqual([200, 1, 1]);
    expect(performance.now() - began).toBeLessThan(5_000);
    const [, again] = counts(await post(`${url}${HEARTBEAT}`));
    expect([0, 1]).toContain(again);
    const [run, ...others] = await flows.runs(name, { limit: 10 });
    expect(others).toEqual([]);
    release();
    await endOf(flows, run!);
  });

  it('goes on past a flow that fails, and past one that cannot be started, which it does not count', async () => {
    const [broken, failing, sound] = [uniqueFlow('a'), uniqueFlow('b'), uniqueFlow('c')];
    const invalid = defineDataFlow({
      name: broken,
      schedule: { heartbeat: { every: '1h' } },
      configuration: z.object({ needed: z.string() }),
      run: () => undefined,
    });
    const { engine, flows } = await start({
      flows: [
        invalid,
        beating(failing, '1h', () => {
          throw new TypeError('the source is gone');
        }),
        beating(sound, '1h'),
      ],
    });
    const lines: unknown[] = [];
    const { url } = await serve(engine, {}, { log: collecting(lines) });
    expect(counts(await post(`${url}${HEARTBEAT}`))).toEqual([200, 3, 2]);
    const [failed] = await flows.runs(failing, { limit: 1 });
    const [succeeded] = await flows.runs(sound, { limit: 1 });
    expect(await endOf(flows, succeeded!)).toMatchObject({ status: 'success' });
    expect(await endOf(flows, failed!)).toMatchObject({
      status: 'failed',
      errorMessage: expect.stringContaining('the source is gone'),
      errorBacktrace: expect.stringContaining('heartbeat.test'),
    });
    expect(await flows.runs(broken, { limit: 1 })).toEqual([]);
    expect(lines).toContainEqual(
      expect.objectContaining({ flow: broken, msg: 'a data flow is due and could not be started' }),
    );
  });

  it('starts a flow again whose run was terminated in Temporal', async () => {
    const name = uniqueFlow();
    const stopped = new AbortController();
    const { engine, flows } = await start({
      flows: [
        beating(name, '1s', () =>
          delay(60_000, undefined, { signal: stopped.signal }).catch(() => undefined),
        ),
      ],
    });
    const { url } = await serve(engine);
    await post(`${url}${HEARTBEAT}`);
    const [run] = await flows.runs(name, { limit: 1 });
    await until(async () =>
      (await flows.findRun(name, run!.id)).status === 'in_progress' ? true : undefined,
    );
    await temporal.client.workflow.getHandle(run!.workflowId).terminate('by hand');
    await delay(1_050);
    expect(counts(await post(`${url}${HEARTBEAT}`))).toEqual([200, 1, 1]);
    stopped.abort();
    const [second, first] = await flows.runs(name, { limit: 2 });
    expect([first!.status, first!.errorMessage]).toEqual(['failed', 'The run was terminated.']);
    expect(second!.runSeq).toBe(2);
    await endOf(flows, second!);
  });

  it('is served where the configuration says, before whatever else would be there, and nowhere else', async () => {
    const name = uniqueFlow();
    const { engine } = await start({ flows: [beating(name, '1h')], worker: false });
    const { url } = await serve(engine, {
      dataFlows: { routes: false, heartbeat: { endpointPath: '/pipelines/cron/' } },
      catchAllRoutes: true,
    });
    expect((await post(`${url}${HEARTBEAT}`)).status).toBe(404);
    expect((await send(`${url}/data_flows`)).status).toBe(404);
    expect(counts(await post(`${url}/pipelines/cron`))).toEqual([200, 1, 1]);
  });

  it('is not served by a project that has no flows and no routes for them', async () => {
    const { engine } = await start({ flows: [], worker: false });
    const { url } = await serve(engine, { catchAllRoutes: false });
    expect((await post(`${url}${HEARTBEAT}`)).status).toBe(404);
  });

  it('answers GET and HEAD with 405, and starts nothing', async () => {
    const name = uniqueFlow();
    const { engine, flows } = await start({ flows: [beating(name, '1h')], worker: false });
    const { url } = await serve(engine);
    for (const method of ['GET', 'HEAD', 'PUT']) {
      const response = await fetch(`${url}${HEARTBEAT}`, { method });
      await response.text();
      expect([method, response.status, response.headers.get('allow')]).toEqual([
        method,
        405,
        'POST',
      ]);
    }
    await flows.list();
    expect(await flows.runs(name, { limit: 1 })).toEqual([]);
  });
});

/** Servers with engines and catalog connections of their own, as in processes of their own. */
async function storm(options: FlowStackOptions, config: ConfigDefinition = {}): Promise<void> {
  const names = Array.from({ length: 4 }, () => uniqueFlow());
  const started: string[] = [];
  const flows = names.map((name) =>
    beating(name, '1h', () => {
      started.push(name);
    }),
  );
  const first = await start({ ...options, flows });
  const second = await start({ ...options, flows, beside: first });
  const servers = [await serve(first.engine, config), await serve(second.engine, config)];
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, at) => post(`${servers[at % 2]!.url}${HEARTBEAT}`)),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
  const triggered = answers.map(({ body }) => Number(body['flows_triggered']));
  expect(triggered.reduce((sum, count) => sum + count, 0)).toBe(names.length);
  for (const name of names) {
    const runs = await first.flows.runs(name, { limit: 10 });
    expect(runs.map(({ runSeq }) => runSeq)).toEqual([1]);
    await endOf(first.flows, runs[0]!);
  }
  expect([...started].sort()).toEqual([...names].sort());
}

describe('fifty heartbeats at the same instant on two servers', () => {
  it('start each due flow once, and count it once, with a catalog in SQLite', async () => {
    await storm({});
  }, 60_000);
});

describePostgres('on PostgreSQL', () => {
  const databases: PostgresDatabase[] = [];
  // After the stacks of useFlowStack, which have connections to it.
  afterEach(async () => {
    for (const database of databases.splice(0)) await database.drop();
  });

  it('fifty heartbeats at the same instant on two servers start each due flow once, and count it once', async () => {
    const database = await createPostgresDatabase();
    databases.push(database);
    await storm({ database: database.url });
  }, 60_000);

  it('answers 500 with a message while the catalog is away, 503 elsewhere, and works when it is back', async () => {
    const database = await createPostgresDatabase();
    databases.push(database);
    const name = uniqueFlow();
    const { engine, flows } = await start({
      flows: [beating(name, '1h')],
      database: database.url,
    });
    const { url } = await serve(engine);
    await flows.list();
    const { pathname } = new URL(database.url);
    const admin = new URL(database.url);
    admin.pathname = '/postgres';
    const allow = (allowed: boolean): Promise<void> =>
      execute(
        admin.href,
        `alter database ${pathname.slice(1)} allow_connections ${String(allowed)}`,
      );
    await allow(false);
    await execute(
      admin.href,
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${pathname.slice(1)}'`,
    );
    const answer = await post(`${url}${HEARTBEAT}`);
    expect([answer.status, answer.body]).toMatchObject([
      500,
      { type: 'internal_error', error: expect.stringMatching(/^The heartbeat failed: ./) },
    ]);
    const list = await send(`${url}/data_flows`);
    expect([list.status, list.headers.get('retry-after'), list.body]).toMatchObject([
      503,
      '2',
      { type: 'unavailable', error: 'The catalog of data flows cannot be reached. Try again.' },
    ]);
    await allow(true);
    expect(counts(await post(`${url}${HEARTBEAT}`))).toEqual([200, 1, 1]);
    const [run] = await flows.runs(name, { limit: 1 });
    await endOf(flows, run!);
  });
});
