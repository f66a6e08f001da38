import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createTestEngine, recordRun, runRecorded, type TestEngine } from 'millrace/testing';
import { linkPackages } from '../docs/running-project.js';
import { TEST_RUNNERS, type TestRunner } from '../../engine/project/test-runner.js';
import { cli } from '../support/cli.js';
import { writeProject, type ProjectFiles } from '../support/project.js';
import { useTemporal } from '../support/temporal.js';
import { addRunner, runTests, type TestsToRun } from '../support/test-runners.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const temporal = useTemporal();
const dir = useTemporaryDirectory();

const shared = (): Record<string, string> => ({ TEMPORAL_ADDRESS: temporal.address });

/** Gives another number each time, and in a test that was recorded none at all. */
const DRAW = `import { defineOperation } from 'millrace';
import { z } from 'zod';

export const draw = defineOperation({
  name: 'draw',
  sets: z.object({ drawn: z.number() }),
  retry: { maximumAttempts: 1 },
  run: () => {
    if (process.env['RECORDED'] === 'yes') throw new Error('it was not to be called');
    return { drawn: Math.random() };
  },
});

export const double = defineOperation({
  name: 'double',
  reads: z.object({ drawn: z.number() }),
  sets: z.object({ doubled: z.number() }),
  quick: true,
  run: ({ input }) => ({ doubled: 2 * input.drawn }),
});
`;

const LOTTERY = `name: lottery
stages:
  - name: draw
    operations: [{ type: draw }]
  - name: double
    operations: [{ type: double }]
`;

const ORDERS = `import {
  batches, branches, defineBatchableHandler, defineDecisionHandler, defineStepHandler, permanent, success,
} from 'millrace';

function real() {
  if (process.env['RECORDED'] === 'yes') throw new Error('it was not to be called');
}

export const route = defineDecisionHandler({ name: 'route', run: () => { real(); return branches(['approve']); } });
export const divide = defineBatchableHandler({ name: 'divide', run: () => { real(); return batches([{ start: 0, end: 2 }, { start: 2, end: 5 }], { total: 5 }); } });
export const pack = defineStepHandler({ name: 'pack', run: ({ batch }) => { real(); return success({ packed: batch.end - batch.start, token: Math.random() }); } });
export const ship = defineStepHandler({
  name: 'ship',
  run: ({ getDependencyField, getAllDependencyResults, attempt }) => {
    real();
    if (attempt === 1) throw new Error('not yet');
    return success({ by: getDependencyField('approve', 'by'), parcels: getAllDependencyResults('pack_').length, token: Math.random() });
  },
});
`;

const ORDER = `name: order
steps:
  - name: route_order
    type: decision
    handler: route
  - name: approve
    type: approval
    depends_on: [route_order]
  - name: skip_it
    handler: ship
    depends_on: [route_order]
  - name: divide
    type: batchable
    handler: divide
    depends_on: [approve]
    batch_config: { worker_template: pack }
  - name: pack
    type: batch_worker
    handler: pack
    depends_on: [divide]
  - name: ship
    handler: ship
    depends_on: [approve, pack]
    retry: { backoff_base_ms: 10 }
`;

const FILES: ProjectFiles = {
  'package.json': '{ "type": "module" }',
  'operations/draw.ts': DRAW,
  'pipelines/lottery.yml': LOTTERY,
  'handlers/orders.ts': ORDERS,
  'tasks/order.yml': ORDER,
};

/** Does something with an engine of the project. */
async function withEngine<T>(work: (engine: TestEngine) => Promise<T>): Promise<T> {
  await writeProject(dir.path, FILES);
  const engine = await createTestEngine({ dir: dir.path, env: shared() });
  try {
    return await work(engine);
  } finally {
    await engine.stop();
  }
}

/** Runs a test file by itself, as a reader does, where no real code may be called. @returns how many of its tests have passed */
async function runTestFile(file: string, runner: TestRunner = 'node'): Promise<number> {
  linkPackages(dir.path);
  await addRunner(runner, dir.path);
  return runTests(runner, testOf(file));
}

function testOf(file: string): TestsToRun {
  const env = { ...shared(), RECORDED: 'yes' };
  return { dir: dir.path, files: [file], env, timeoutMs: 50_000 };
}

describe('recordRun', () => {
  it.each(TEST_RUNNERS)(
    'makes a test for %s of a run of a pipeline that passes by itself, without its code',
    async (runner) => {
      const { file, recordingFile, recording } = await withEngine(async (engine) => {
        const { run } = await engine.execute('lottery', {});
        return recordRun(engine, run.id, { dir: dir.path, real: ['double'], runner });
      });
      expect(file).toMatch(/test\/lottery-[0-9a-z]{8}\.test\.mjs$/);
      expect(recording).toMatchObject({
        kind: 'pipeline',
        operations: [{ operation: 'draw' }, { operation: 'double' }],
      });
      expect(JSON.parse(await readFile(recordingFile, 'utf8'))).toEqual(recording);
      expect(await readFile(file, 'utf8')).toContain("real: ['double']");
      expect(await runTestFile(file, runner)).toBe(1);
      // A mistake in what is real is what the test is for.
      await writeProject(dir.path, { 'operations/draw.ts': DRAW.replace('2 *', '3 *') });
      await expect(runTests(runner, testOf(file))).rejects.toThrow(/doubled/);
    },
    120_000,
  );

  it('records a task with a decision, batches, an answer and retries', async () => {
    const { recordingFile, recording } = await withEngine(async (engine) => {
      const run = await engine.start('order', {});
      for await (const { type } of run.events()) if (type === 'approval_requested') break;
      const result = { by: 'Ada' };
      await run.tellStep({ kind: 'answer', step: 'approve', approved: true, result });
      await run.result();
      return recordRun(engine, run.id, { dir: dir.path, file: 'test/order.test.mjs' });
    });
    expect(recording).toMatchObject({
      outcome: { result: { results: { ship: { by: 'Ada', parcels: 2 } } } },
      told: [{ kind: 'answer' }],
    });
    expect(await runTestFile('test/order.test.mjs')).toBe(1);
    // With real code in the place of one step, what it gives is another token.
    const { outcome, recorded } = await runRecorded(recordingFile, {
      dir: dir.path,
      real: ['ship'],
      env: shared(),
    });
    expect(outcome).toMatchObject({ result: { results: { ship: { by: 'Ada', parcels: 2 } } } });
    expect(outcome).not.toEqual(recorded);
  }, 60_000);

  it('records what a run has failed of', async () => {
    await writeProject(dir.path, {
      ...FILES,
      'operations/draw.ts': DRAW.replace(
        'return { drawn: Math.random() }',
        "throw Object.assign(new Error('no luck'), { name: 'NoLuck' })",
      ),
    });
    const engine = await createTestEngine({ dir: dir.path, env: shared() });
    const run = await engine.start('lottery', {});
    await expect(run.result()).rejects.toMatchObject({ name: 'RunFailed' });
    const { recordingFile } = await recordRun(engine, run.id, { dir: dir.path });
    await engine.stop();
    await writeProject(dir.path, FILES);
    const { outcome, recorded } = await runRecorded(recordingFile, {
      dir: dir.path,
      env: shared(),
    });
    expect(outcome).toEqual(recorded);
    expect(outcome).toMatchObject({
      status: 'failed',
      failure: { type: 'NoLuck', message: 'no luck', stage: 'draw', operation: 'draw' },
    });
    // Where it does not fail any more, the pipeline comes to what nothing was recorded for.
    const further = runRecorded(recordingFile, {
      dir: dir.path,
      operations: { draw: { drawn: 1 } },
      env: shared(),
    });
    await expect(further).rejects.toMatchObject({ name: 'StubRefused', place: 'double/double' });
  }, 60_000);

  it('never has results stand in that no longer fit', async () => {
    const { recordingFile } = await withEngine(async (engine) => {
      const { run } = await engine.execute('lottery', {});
      return recordRun(engine, run.id, { dir: dir.path });
    });
    await writeFile(
      join(dir.path, 'operations/draw.ts'),
      DRAW.replace('drawn: z.number() }),\n  retry', 'drawn: z.number().int() }),\n  retry'),
    );
    const options = { dir: dir.path, env: shared() };
    await expect(runRecorded(recordingFile, options)).rejects.toMatchObject({
      name: 'StubRefused',
      place: 'draw/draw',
      reason: expect.stringContaining("'drawn'"),
    });
    await writeProject(dir.path, {
      ...FILES,
      'pipelines/lottery.yml': LOTTERY.replace('- name: double', '- name: twice'),
    });
    await expect(runRecorded(recordingFile, options)).rejects.toMatchObject({
      name: 'RecordingOutdated',
      gone: ['double/double'],
    });
    await writeFile(recordingFile, '{ "form": 2 }');
    await expect(runRecorded(recordingFile, options)).rejects.toMatchObject({
      name: 'RecordingInvalid',
      message: expect.stringContaining('millrace record'),
    });
  }, 60_000);

  it('says which runs it cannot record, and replaces no files unless it is told', async () => {
    await withEngine(async (engine) => {
      const open = await engine.start('order', {});
      await expect(recordRun(engine, open.id, { dir: dir.path })).rejects.toMatchObject({
        name: 'NotRecordable',
        message: expect.stringContaining('has not ended'),
      });
      await open.cancel();
      await expect(open.result()).rejects.toThrow();
      await expect(recordRun(engine, open.id, { dir: dir.path })).rejects.toThrow('was cancelled');
      await expect(recordRun(engine, 'flow/a/1', { dir: dir.path })).rejects.toThrow('replay()');
      await expect(recordRun(engine, 'task/order/none', {})).rejects.toMatchObject({
        name: 'RunNotFound',
      });
      const { run } = await engine.execute('lottery', {});
      const { file } = await recordRun(engine, run.id, { dir: dir.path });
      await expect(recordRun(engine, run.id, { dir: dir.path })).rejects.toMatchObject({
        name: 'RecordingExists',
      });
      const again = await recordRun(engine, run.id, { dir: dir.path, force: true, runner: 'jest' });
      expect(again.file).toBe(file);
      expect(await readFile(file, 'utf8')).toContain('@jest/globals');
    });
  }, 60_000);
});

describe('millrace record', () => {
  it.each([
    ['vitest', '"vitest": "4"', ''],
    [
      'jest',
      '"vitest": "4", "jest": "30"',
      '"test": "NODE_OPTIONS=--experimental-vm-modules jest"',
    ],
  ] as const)(
    'makes a test of a run, for %s, where that is what the project tests with',
    async (runner, packages, script) => {
      const id = await withEngine(async (engine) => (await engine.execute('lottery', {})).run.id);
      await writeProject(dir.path, {
        'package.json': `{ "type": "module", "devDependencies": { ${packages} }, "scripts": { ${script} } }`,
        'tsconfig.json': '{}',
      });
      linkPackages(dir.path);
      const executionId = id.split('/').at(-1) ?? '';
      const made = await cli(['record', executionId], { cwd: dir.path, env: shared() });
      expect(made).toMatchObject({ code: 0, stderr: '' });
      const [file = '', recordingFile = ''] = made.stdout.trim().split('\n');
      expect(file).toBe(`test/lottery-${executionId.slice(-8).toLowerCase()}.test.ts`);
      expect(JSON.parse(await readFile(join(dir.path, recordingFile), 'utf8'))).toMatchObject({
        run: id,
      });
      await addRunner(runner, dir.path);
      expect(await runTests(runner, testOf(file))).toBe(1);
    },
    120_000,
  );

  it('writes where and for what it is told, and over nothing that is there', async () => {
    const id = await withEngine(async (engine) => (await engine.execute('lottery', {})).run.id);
    const options = { cwd: dir.path, env: shared() };
    linkPackages(dir.path);
    expect(await cli(['record', id], options)).toMatchObject({ code: 0, stderr: '' });
    const again = await cli(['record', id], options);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('--force') });
    const out = ['--out', 'test/more/own.test.mjs', '--runner', 'node'];
    expect(await cli(['record', id, ...out], options)).toMatchObject({ code: 0 });
    const text = await readFile(join(dir.path, 'test/more/own.test.mjs'), 'utf8');
    expect(text).toContain("dir: new URL('../../', import.meta.url)");
    const wrong = await cli(['record', id, '--runner', 'jst'], options);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('jest') });
  }, 60_000);
});
