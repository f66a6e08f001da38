import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { runNodeTests } from '../docs/node-tests.js';
import { ROOT } from '../docs/page.js';
import { linkPackages } from '../docs/running-project.js';
import {
  startPayments,
  type Payments,
} from '../../examples/order-fulfilment/service/start-payments.js';
import { config } from '../cli/fixtures.js';
import { cli, useCli, type CliProcess } from '../support/cli.js';
import { shareBundles } from '../support/project-directory.js';
import { uniqueTaskQueue, useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

jest.setTimeout(180_000);

const temporal = useTemporal();
const start = useCli();

describe('the order fulfilment', () => {
  let dir = '';

  beforeAll(async () => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-orders-')));
    cpSync(join(ROOT, 'examples/order-fulfilment'), dir, {
      recursive: true,
      filter: (path) => !path.includes('.millrace'),
    });
    linkPackages(dir);
    await shareBundles(dir);
  });

  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  it('has tests of its own that pass', async () => {
    const stdout = await runNodeTests(dir, {
      env: { TEMPORAL_ADDRESS: temporal.address },
      timeoutMs: 150_000,
    });
    expect(stdout).toMatch(/^# fail 0$/m);
    const declared = readdirSync(join(dir, 'test')).flatMap(
      (file) => readFileSync(join(dir, 'test', file), 'utf8').match(/^test\(/gm) ?? [],
    );
    expect(stdout).toMatch(new RegExp(`^# pass ${String(declared.length)}$`, 'm'));
  });

  describe('with a worker that is killed among the rows', () => {
    let payments: Payments;
    let env: Readonly<Record<string, string>>;

    beforeEach(async () => {
      payments = await startPayments({ latencyMs: 20 });
      env = { TEMPORAL_ADDRESS: temporal.address, PAYMENTS_URL: payments.url };
      writeFileSync(join(dir, 'millrace.config.ts'), config(uniqueTaskQueue()));
    });

    afterEach(() => payments.stop());

    async function startWorker(): Promise<CliProcess> {
      const worker = start(['worker'], { cwd: dir, env });
      await worker.says(/worker ready/);
      return worker;
    }

    it('goes on from checkpoints, and counts and charges no order twice', async () => {
      const killed = await startWorker();
      const { stdout } = await cli(['run', 'settle-orders', '--detach'], { cwd: dir, env });
      await until(
        async () => ((await payments.summary()).charges > 400 ? true : undefined),
        60_000,
      );
      await killed.stop('SIGKILL');
      expect((await payments.summary()).charges).toBeLessThan(1_000);

      const worker = await startWorker();
      const result: unknown = await temporal.client.workflow.getHandle(stdout.trim()).result();
      expect(result).toEqual({
        status: 'complete',
        results: {
          summarize_settlement: expect.objectContaining({
            rows: 1_200,
            charged: 1_156,
            charged_cents: 18_635_454,
            failed_workers: [],
          }),
        },
      });
      expect(await payments.summary()).toMatchObject({
        charges: 1_156,
        charged_cents: 18_635_454,
      });
      const cursors = [...worker.output().matchAll(/"cursor":(\d+).*going on from/g)].map(
        ([, cursor]) => Number(cursor),
      );
      // One at the beginning of its range would have lost what it has done.
      expect(cursors.some((cursor) => cursor % 200 !== 0)).toBe(true);
      await worker.stop();
    });
  });
});
