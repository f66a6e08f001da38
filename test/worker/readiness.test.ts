import { describe, expect, it } from '@jest/globals';
import { createWorker, type ProjectWorker } from 'millrace/worker';
import pino from 'pino';
import { useGates } from '../support/gate.js';
import { COUNT_WORDS, WORD_REPORT, writeProject } from '../support/project.js';
import { uniqueTaskQueue, useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { useProjectDirectory } from '../support/project-directory.js';
import { describePostgres, usePostgresDatabase } from '../support/postgres.js';
import { postgresProxy } from '../support/tcp-proxy.js';

const temporal = useTemporal();
const dir = useProjectDirectory();
const gates = useGates();

const WAIT = `import { defineOperation } from 'millrace';

export const wait = defineOperation({ name: 'wait', run: async ({ services }) => { await services.gate(); return {}; } });
`;
const FLOW = `import { defineDataFlow } from 'millrace';

export const nothing = defineDataFlow({ name: 'nothing', run: async () => undefined });
`;

async function worker(options: {
  readonly services?: Record<string, unknown>;
  readonly env?: Readonly<Record<string, string>>;
}): Promise<ProjectWorker> {
  return createWorker({
    dir: dir.path,
    env: { TEMPORAL_ADDRESS: temporal.address, ...options.env },
    log: pino({ level: 'silent' }),
    config: { asyncQueue: uniqueTaskQueue(), services: options.services ?? {} },
  });
}

describe('the readiness of a worker', () => {
  it('is there from run() until it is told to stop', async () => {
    await writeProject(dir.path, {
      'operations/wait.ts': WAIT,
      'pipelines/wait.yml': 'name: wait\nstages: [{ name: wait, operations: [wait] }]\n',
    });
    const gate = gates();
    const own = await worker({ services: { gate: gate.pass } });
    expect(own.state).toBe('starting');
    expect(await own.readiness()).toEqual({
      ready: false,
      parts: { temporal: 'ok', worker: 'starting' },
    });
    const stopping = new AbortController();
    const running = own.run({ signal: stopping.signal });
    expect(await own.readiness()).toEqual({
      ready: true,
      parts: { temporal: 'ok', worker: 'running' },
    });
    const run = await own.engine.start('wait', {});
    await gate.reached;
    stopping.abort();
    expect(own.state).toBe('draining');
    expect((await own.readiness()).ready).toBe(false);
    gate.open();
    await running;
    expect(own.state).toBe('stopped');
    expect((await temporal.client.workflow.getHandle(run.id).describe()).status.name).toMatch(
      /COMPLETED|RUNNING/,
    );
  });

  it('never comes where the signal was aborted before it ran', async () => {
    await writeProject(dir.path, {
      'operations/count-words.ts': COUNT_WORDS,
      'pipelines/word-report.yml': WORD_REPORT,
    });
    const own = await worker({});
    await own.run({ signal: AbortSignal.abort() });
    expect(own.state).toBe('stopped');
  });
});

describePostgres('the readiness of a worker with data flows', () => {
  const database = usePostgresDatabase();

  it('wants the catalog, and comes back with it', async () => {
    await writeProject(dir.path, { 'flows/nothing.ts': FLOW });
    const proxy = await postgresProxy(database.url);
    const own = await worker({ env: { DATABASE_URL: proxy.url } });
    const running = own.run();
    const ready = { ready: true, parts: { temporal: 'ok', catalog: 'ok', worker: 'running' } };
    expect(await own.readiness()).toEqual(ready);
    proxy.cut();
    await until(async () => {
      const { ready: isReady, parts } = await own.readiness();
      return !isReady && parts.catalog === 'unreachable' ? true : undefined;
    });
    proxy.mend();
    await until(async () => ((await own.readiness()).ready ? true : undefined));
    await own.stop();
    await running;
    await proxy.close();
  });
});
