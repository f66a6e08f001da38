import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { cli, useCli, type CliProcess } from '../support/cli.js';
import { useProjectDirectory } from '../support/project-directory.js';
import { writeProject } from '../support/project.js';
import { uniqueTaskQueue, useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { config } from './fixtures.js';

jest.setTimeout(180_000);

const temporal = useTemporal();
const dir = useProjectDirectory();
const start = useCli();

/** Each says that it has begun, and the first attempt of each is never done: its worker is killed. */
const HANDLERS = `import { appendFileSync } from 'node:fs';
import {
  batches, branches, defineApiHandler, defineBatchableHandler, defineDecisionHandler, defineStepHandler, success,
} from 'millrace';

async function begin({ step, attempt, batch }, keep = () => undefined) {
  appendFileSync(process.env.LEDGER, [step.name, attempt, batch?.cursor ?? '-'].join(' ') + '\\n');
  keep();
  if (attempt === 1) await new Promise(() => setInterval(() => undefined, 1_000));
}

export const work = defineStepHandler({
  name: 'work',
  run: async (context) => {
    await begin(context);
    return success({ from: context.step.name });
  },
});
export const call = defineApiHandler({
  name: 'call',
  baseUrl: () => process.env.SERVICE,
  run: async (context) => {
    await begin(context);
    return success((await context.api.get('/rate')).body);
  },
});
export const route = defineDecisionHandler({
  name: 'route',
  run: async (context) => {
    await begin(context);
    return branches(['approve', 'chosen']);
  },
});
export const split = defineBatchableHandler({
  name: 'split',
  run: async (context) => {
    await begin(context);
    return batches({ total: 20 });
  },
});
export const load = defineStepHandler({
  name: 'load',
  run: async (context) => {
    const { batch, checkpointYield } = context;
    await begin(context, () => checkpointYield({ cursor: batch.start + 4, accumulated: batch.start }));
    return success({ from: batch.cursor, accumulated: batch.accumulated ?? null });
  },
});
export const gather = defineStepHandler({
  name: 'gather',
  run: async (context) => {
    await begin(context);
    return success(Object.fromEntries(context.getAllDependencyResults().map(({ name, result }) => [name, result ?? null])));
  },
});
`;

const TASK = `name: everything
steps:
  - { name: plain, handler: work }
  - { name: call, handler: call }
  - { name: route, type: decision, handler: route }
  - name: split
    type: batchable
    handler: split
    batch_config: { batch_size: 10, worker_template: load }
  - { name: load, type: batch_worker, handler: load, depends_on: [split] }
  - { name: approve, type: approval, depends_on: [route] }
  - { name: chosen, handler: work, depends_on: [route] }
  - { name: other, handler: work, depends_on: [route] }
  - name: gather
    type: deferred_convergence
    handler: gather
    depends_on: [plain, call, load, approve, chosen, other]
`;

/** The lines that the steps have written. */
async function ledger(): Promise<readonly string[]> {
  const text = await readFile(join(dir.path, 'ledger.txt'), 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

async function begun(...steps: readonly string[]): Promise<void> {
  await until(async () => {
    const names = (await ledger()).map((line) => line.split(' ')[0]);
    return steps.every((step) => names.includes(step)) ? true : undefined;
  }, 60_000);
}

describe('a worker that is killed while it runs steps', () => {
  const service = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end('{"rate":1.5}');
  });
  let env: Record<string, string>;

  beforeAll(async () => {
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  });

  beforeEach(() => {
    // It listens on TCP.
    const { port } = service.address() as AddressInfo;
    env = {
      TEMPORAL_ADDRESS: temporal.address,
      LEDGER: join(dir.path, 'ledger.txt'),
      SERVICE: `http://127.0.0.1:${String(port)}`,
    };
  });

  afterAll(async () => {
    await new Promise((resolve) => service.close(resolve));
  });

  async function startWorker(): Promise<CliProcess> {
    const worker = start(['worker'], { cwd: dir.path, env });
    await worker.says(/worker ready/);
    return worker;
  }

  it('loses none of them, of whatever type, and has none done again that was done', async () => {
    await writeProject(dir.path, {
      'millrace.config.ts': config(uniqueTaskQueue()),
      'handlers/all.js': HANDLERS,
      'tasks/everything.yml': TASK,
    });
    let worker = await startWorker();
    const run = await cli(['run', 'everything', '--detach'], { cwd: dir.path, env });
    expect([run.code, run.stdout]).toEqual([0, expect.stringMatching(/^task\/everything\//)]);
    const id = run.stdout.trim().split('/').at(-1) ?? '';

    await begun('plain', 'call', 'route', 'split');
    await worker.stop('SIGKILL');
    worker = await startWorker();

    await begun('load_001', 'load_002', 'chosen');
    // Checkpoints are sent once a second.
    await delay(1_500);
    await worker.stop('SIGKILL');
    const approved = await cli(['tasks', 'approve', id, 'approve', '--result', '"yes"'], {
      cwd: dir.path,
      env,
    });
    expect([approved.code, approved.stderr]).toEqual([0, '']);
    worker = await startWorker();

    await begun('gather');
    await worker.stop('SIGKILL');
    worker = await startWorker();

    const gathered = {
      plain: { from: 'plain' },
      call: { rate: 1.5 },
      load_001: { from: 4, accumulated: 0 },
      load_002: { from: 14, accumulated: 10 },
      approve: 'yes',
      chosen: { from: 'chosen' },
    };
    const handle = temporal.client.workflow.getHandle(`task/everything/${id}`);
    expect(await handle.result()).toEqual({ status: 'complete', results: { gather: gathered } });
    expect([...(await ledger())].sort()).toEqual(
      [
        ['plain', '-'],
        ['call', '-'],
        ['route', '-'],
        ['split', '-'],
        ['load_001', '0', '4'],
        ['load_002', '10', '14'],
        ['chosen', '-'],
        ['gather', '-'],
      ]
        .flatMap(([step, first, second = first]) => [
          `${String(step)} 1 ${String(first)}`,
          `${String(step)} 2 ${String(second)}`,
        ])
        .sort(),
    );
    const shown = await cli(['show', id, '--json'], { cwd: dir.path, env });
    const { steps } = JSON.parse(shown.stdout) as { steps: { name: string; attempts?: number }[] };
    expect(steps.map(({ name, attempts }) => [name, attempts])).toEqual([
      ['plain', 2],
      ['call', 2],
      ['route', 2],
      ['split', 2],
      ['load_001', 2],
      ['load_002', 2],
      ['approve', undefined],
      ['chosen', 2],
      ['other', undefined],
      ['gather', 2],
    ]);
    await worker.stop();
  });
});
