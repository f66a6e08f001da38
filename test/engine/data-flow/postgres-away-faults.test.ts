import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { sqlSink } from '../../../adapters/connector/sql/sql-sink.js';
import type { DataFlows } from '../../../engine/data-flow/data-flows.js';
import type { FlowRunRecord } from '../../../src/data-flow/catalog.js';
import { defineDataFlow, type DataFlow } from '../../../src/data-flow/data-flow.js';
import { useFlowStack } from '../../support/flow-stack.js';
import { claimRun, listSource, numbered, uniqueFlow } from '../../support/flows.js';
import { gate } from '../../support/gate.js';
import { describePostgres, execute, startOwnPostgres } from '../../support/postgres.js';
import type { PostgresServer } from '../../support/postgres-server.js';
import { useTemporal } from '../../support/temporal.js';
import { until } from '../../support/until.js';

jest.setTimeout(120_000);

const ROWS = 400;
const BATCH = 10;

describePostgres('a PostgreSQL that goes away, with the catalog and what a flow writes to', () => {
  const temporal = useTemporal();
  const start = useFlowStack(temporal);
  let postgres: PostgresServer | undefined;

  beforeAll(async () => {
    postgres = await startOwnPostgres();
  }, 60_000);
  afterAll(async () => {
    await postgres?.dispose();
  });

  /** A database of its own, so that no test sees another's positions. */
  async function database(name: string): Promise<string> {
    await execute(postgres!.url, `create database ${name}`);
    return postgres!.url.replace(/\/postgres$/, `/${name}`);
  }

  /** While it is away nobody knows. */
  async function ended(flows: DataFlows, run: FlowRunRecord): Promise<FlowRunRecord> {
    return until(async () => {
      const found = await flows.findRun(run.flow, run.id).catch(() => undefined);
      return found?.endedAt === null ? undefined : found;
    }, 60_000);
  }

  async function ids(url: string): Promise<readonly number[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query<{ number: string }>('SELECT number FROM t ORDER BY ctid');
    await client.end();
    return rows.map(({ number }) => Number(number));
  }

  function slowFlow(name: string, url: string, key: readonly string[]): DataFlow {
    return defineDataFlow({
      name,
      batchSize: BATCH,
      source: listSource(
        () => numbered(ROWS),
        async () => {
          await delay(100);
        },
      ),
      sink: sqlSink({ database: url, table: 't', create: true, key: [...key] }),
    });
  }

  it.each([
    ['with a key', ['number']],
    ['without a key', []],
  ])(
    'in mid-run, twice, costs no run: nothing is lost or doubled in a table %s',
    async (_what, key) => {
      const name = uniqueFlow();
      const url = await database(`run_${String(key.length)}`);
      const { flows } = await start({ flows: [slowFlow(name, url, key)], database: url });
      const run = await flows.run(name);
      for (const awayMs of [300, 5_000]) {
        const before = (await flows.findRun(name, run.id)).counts.read;
        await until(async () =>
          (await flows.findRun(name, run.id)).counts.read > before ? true : undefined,
        );
        await postgres!.stop();
        await delay(awayMs);
        await postgres!.start();
      }
      expect(await ended(flows, run)).toMatchObject({
        status: 'success',
        errorMessage: null,
        lastCursor: ROWS,
        counts: { read: ROWS, written: ROWS, new: key.length * ROWS, batches: ROWS / BATCH },
      });
      expect(await ids(url)).toEqual(numbered(ROWS).map(({ number }) => number));
      expect((await flows.show(name)).record).toMatchObject({
        cursor: ROWS,
        lastRunStatus: 'success',
      });
    },
  );

  it('when a run ends: the end is recorded as soon as it is back', async () => {
    const name = uniqueFlow();
    const url = await database('run_end');
    const [working, over] = [gate(), gate()];
    const { flows } = await start({
      flows: [
        defineDataFlow({
          name,
          run: async ({ saveCursor }) => {
            await saveCursor(1, { read: 3 });
            await working.pass();
            over.open();
          },
        }),
      ],
      database: url,
    });
    const run = await flows.run(name);
    await working.reached;
    await postgres!.stop();
    working.open();
    await over.pass();
    await delay(4_000);
    const { status } = await temporal.client.workflow.getHandle(run.workflowId).describe();
    expect(status.name).toBe('RUNNING');
    await postgres!.start();
    expect(await ended(flows, run)).toMatchObject({ status: 'success', counts: { read: 3 } });
    expect(await temporal.client.workflow.getHandle(run.workflowId).result()).toMatchObject({
      run_seq: 1,
      rows_read: 3,
    });
  });

  it('before a run begins: it begins when it is back', async () => {
    const name = uniqueFlow();
    const url = await database('run_begin');
    const { flows, worker } = await start({
      flows: [defineDataFlow({ name, run: ({ saveCursor }) => saveCursor(1, { read: 1 }) })],
      database: url,
    });
    expect(worker).toBeDefined();
    await flows.reconciliation.declare(new Date());
    const run = await claimRun(flows, name);
    const { definition } = await flows.show(name);
    await postgres!.stop();
    await flows.starter.start(definition!, run);
    await delay(1_500);
    await postgres!.start();
    expect(await ended(flows, run)).toMatchObject({ status: 'success' });
  });
});
