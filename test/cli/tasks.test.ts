import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { cli, useCli, type CliResult } from '../support/cli.js';
import { useProjectDirectory } from '../support/project-directory.js';
import { writeProject } from '../support/project.js';
import { uniqueTaskQueue, useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { config } from './fixtures.js';

jest.setTimeout(120_000);

const temporal = useTemporal();
const dir = useProjectDirectory();
const start = useCli();

const HANDLERS = `import { defineBatchableHandler, defineDecisionHandler, defineStepHandler, error, success } from 'millrace';
import { existsSync } from 'node:fs';

export const check = defineStepHandler({
  name: 'check',
  version: '1.4.0',
  run: () => existsSync('works') ? success({ checked: true }) : error({ message: 'no answer', retryable: false }),
});
const no = () => error({ message: 'no answer', retryable: false });
export const choose = defineDecisionHandler({ name: 'choose', run: no });
export const divide = defineBatchableHandler({ name: 'divide', run: no });
export const load = defineStepHandler({ name: 'load', run: () => success({}) });
export const endless = defineStepHandler({ name: 'endless', run: () => new Promise(() => undefined) });
`;

const FILES = {
  'handlers/all.js': HANDLERS,
  'tasks/order.yml': `name: order
lifecycle: { on_error: wait }
steps:
  - { name: check, handler: check }
  - { name: allow, type: approval, depends_on: [check] }
`,
  'tasks/invoice.yml': `name: invoice
identity_strategy: strict
steps: [{ name: check, handler: check }]
`,
  'tasks/payment.yml': `name: payment
identity_strategy: caller_provided
steps: [{ name: check, handler: check }]
`,
  'tasks/routed.yml': `name: routed
lifecycle: { on_error: wait }
steps:
  - { name: route, type: decision, handler: choose }
  - { name: plain, handler: check, depends_on: [route] }
  - { name: split, type: batchable, handler: divide, depends_on: [route], batch_config: { worker_template: load } }
  - { name: load, type: batch_worker, handler: load, depends_on: [split] }
`,
  'tasks/short.yml': `name: short
lifecycle: { max_duration: 500ms, on_limit: dead_letter }
steps: [{ name: endless, handler: endless }]
`,
};

describe('millrace tasks', () => {
  const run = (...args: readonly string[]): Promise<CliResult> =>
    cli(args, { cwd: dir.path, env: { TEMPORAL_ADDRESS: temporal.address } });

  async function show(id: string, what: RegExp): Promise<string> {
    return until(async () => {
      const { stdout } = await run('show', id);
      return what.test(stdout) ? stdout : undefined;
    }, 30_000);
  }

  /** The id of a run that was started. */
  async function started(name: string): Promise<string> {
    const { stdout, stderr } = await run('run', name, '--detach');
    expect(stderr).toBe('');
    return stdout.trim().split('/').at(-1) ?? '';
  }

  beforeEach(async () => {
    await writeProject(dir.path, { 'millrace.config.ts': config(uniqueTaskQueue()), ...FILES });
    const worker = start(['worker'], {
      cwd: dir.path,
      env: { TEMPORAL_ADDRESS: temporal.address },
    });
    await worker.says(/worker ready/);
  });

  it('has failed steps retried, and approvals rejected, with the reason', async () => {
    const id = await started('order');
    await show(id, /✗ check +no answer/);
    const early = await run('tasks', 'reject', id, 'allow');
    expect([early.code, early.stderr]).toEqual([
      2,
      'error  Step "allow" waits for no answer: it is blocked.\n',
    ]);
    await writeProject(dir.path, { works: '' });
    expect(await run('tasks', 'retry', id, 'check')).toMatchObject({
      code: 0,
      stdout: `task/order/${id}  check: told. Look at it: millrace show ${id}\n`,
    });
    await show(id, /allow +waits for approval/);
    expect((await run('tasks', 'reject', id, 'allow', '--reason', 'too dear')).code).toBe(0);
    await show(id, /✗ allow +It was rejected by .+: too dear/);
    const { steps } = JSON.parse((await run('show', id, '--json')).stdout) as { steps: unknown };
    expect(steps).toMatchObject([
      { name: 'check', status: 'complete', handlerVersion: '1.4.0' },
      { name: 'allow', status: 'error' },
    ]);
    expect((await run('cancel', id)).code).toBe(0);
  });

  it('has decisions and batchable steps resolved, with what comes next', async () => {
    const id = await started('routed');
    await show(id, /✗ route +no answer/);
    const how = ['--result', 'null', '--reason', 'by hand'];
    const without = await run('tasks', 'resolve', id, 'route', ...how);
    expect([without.code, without.stderr]).toEqual([
      2,
      'error  branches must list the steps that come next, or none: step "route" is a decision between plain, split.\n',
    ]);
    const chosen = await run('tasks', 'resolve', id, 'route', ...how, '--branches', 'split');
    expect([chosen.code, chosen.stderr]).toEqual([0, '']);
    await show(id, /✗ split +no answer/);
    const wrong = await run('tasks', 'resolve', id, 'split', ...how, '--ranges', '{"start":0}');
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      'error  --ranges must be a list such as [{"start":0,"end":100},{"start":100,"end":200}].\n',
    ]);
    const ranges = '[{"start":0,"end":2},{"start":2,"end":3}]';
    expect((await run('tasks', 'resolve', id, 'split', ...how, '--ranges', ranges)).code).toBe(0);
    await show(id, /^routed {2}completed/);
  });

  it('lists dead letters, and starts one again, once', async () => {
    const id = await started('short');
    await show(id, /^short {2}timed_out/);
    const dead = await until(async () => {
      const { stdout } = await run('tasks', 'dead', 'short');
      return stdout.includes(id) ? stdout : undefined;
    });
    expect(dead).toContain('timeout: The task took longer than its 500 ms (max_duration).');
    const again = await run('tasks', 'requeue', id);
    expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/^task\/short\//)]);
    expect((await run('tasks', 'requeue', id)).stdout).toBe(again.stdout);
    expect((await run('tasks', 'dead', 'order')).stdout).toBe(
      'There are no dead letters of "order".\n',
    );
  });

  it('runs a task with an identity once, and says in its own words what is there', async () => {
    await writeProject(dir.path, { works: '' });
    const first = await run('run', 'invoice', '--set', 'number=7');
    expect(first.code).toBe(0);
    const again = await run('run', 'invoice', '--set', 'number=7');
    expect([again.code, again.stderr]).toEqual([
      2,
      expect.stringMatching(
        /^error {2}Task "invoice" was started before, as (\w+)\. Look at it: millrace show \1\. With --key KEY, that run is the answer\.\n$/,
      ),
    ]);
    const attached = await run('run', 'invoice', '--set', 'number=7', '--key', 'x');
    expect([attached.code, attached.stdout]).toEqual([0, first.stdout]);
    const unnamed = await run('run', 'payment');
    expect([unnamed.code, unnamed.stderr]).toEqual([
      2,
      'error  Task "payment" has identity_strategy: caller_provided. Say which one this is: --identity KEY.\n',
    ]);
    expect((await run('run', 'payment', '--identity', 'p-7')).code).toBe(0);
  });
});
