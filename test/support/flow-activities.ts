import { afterEach } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { beginFlowRun } from '../../activities/data-flow/begin-flow-run.js';
import { moveRows } from '../../activities/data-flow/move-rows.js';
import { runFlowBody } from '../../activities/data-flow/run-flow-body.js';
import type { ActivityDependencies } from '../../activities/dependencies.js';
import { openCatalog } from '../../adapters/catalog/open-catalog.js';
import { DeployedCode } from '../../engine/deployed-code.js';
import { buildRegistry } from '../../engine/registry.js';
import type { DataFlowCatalog, FlowRunRecord } from '../../src/data-flow/catalog.js';
import type { DataFlow } from '../../src/data-flow/data-flow.js';
import { declarationOf } from '../../src/data-flow/declaration.js';
import type { Begun, MoveOutcome, MoveTask } from '../../src/data-flow/run.js';
import { formatProblem } from '../../src/definition/problem.js';

/** An attempt of an activity that goes on. */
export interface Attempt {
  readonly ended: Promise<MoveOutcome>;
  /** As Temporal does when it has given the attempt up. */
  cancel(): void;
}

/** A flow whose activities a test calls itself, as often at the same time as it likes. */
export interface FlowActivities {
  readonly dir: string;
  readonly catalog: DataFlowCatalog;
  /** Claims and begins a run. */
  begin(): Promise<MoveTask>;
  /** @param catalog - what this attempt has for it */
  attempt(task: MoveTask, catalog?: Partial<DataFlowCatalog>): Attempt;
  run(task: MoveTask): Promise<FlowRunRecord>;
}

/** Gives each test a catalog of its own, and a flow in it. */
export function useFlowActivities(): (
  make: (dir: string) => DataFlow,
  prepareFolder?: (dir: string) => Promise<void>,
) => Promise<FlowActivities> {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  return async (make, prepareFolder) => {
    const dir = await mkdtemp(join(tmpdir(), 'millrace-flow-activities-'));
    closing.push(() => rm(dir, { recursive: true, force: true }));
    await prepareFolder?.(dir);
    const opened = await openCatalog({ url: `sqlite:${join(dir, 'catalog.db')}` });
    closing.push(() => opened.close());
    return flowActivities(dir, opened.dataFlows, make(dir));
  };
}

async function flowActivities(
  dir: string,
  catalog: DataFlowCatalog,
  definition: DataFlow,
): Promise<FlowActivities> {
  const code = new DeployedCode(registryOf(definition));
  const [flow] = code.registry.dataFlows.values();
  const deps = (given: DataFlowCatalog): ActivityDependencies => ({
    code,
    services: {},
    log: pino({ level: 'silent' }),
    flows: {
      dir,
      catalog: async () => given,
      entities: () => Promise.reject(new Error('nobody asks for them')),
      resolve: async (value) => value,
      control: {
        claimScheduled: () => Promise.reject(new Error('nobody asks for it')),
        startFollowers: async () => undefined,
        reconcile: async () => undefined,
      },
    },
  });
  await catalog.declare([declarationOf(flow!)], new Date());
  const name = flow!.name;
  return {
    dir,
    catalog,
    begin: async () => {
      const claim = await catalog.claim({ flow: name, trigger: 'manual', now: new Date() });
      if (claim.kind !== 'claimed') throw new Error(`the flow is ${claim.kind}`);
      const ref = { flow: name, runSeq: claim.run.runSeq };
      const begun = await inActivity<Begun>(new MockActivityEnvironment(), () =>
        beginFlowRun(deps(catalog), ref),
      );
      if ('over' in begun) throw new Error('the run is over');
      return { ...ref, plan: begun.plan };
    },
    attempt: (task, over = {}) => {
      const environment = new MockActivityEnvironment();
      const act = task.plan.work.kind === 'body' ? runFlowBody : moveRows;
      const ended = inActivity(environment, () => act(deps({ ...catalog, ...over }), task));
      // A test looks at it when it has done other things.
      ended.catch(() => undefined);
      return {
        ended,
        cancel: () => {
          environment.cancel();
        },
      };
    },
    run: async ({ flow: of, runSeq }) => (await catalog.run(of, runSeq))!,
  };
}

/** The environment's own type gives away what the function returns. */
async function inActivity<T>(
  environment: MockActivityEnvironment,
  act: () => Promise<T>,
): Promise<T> {
  return environment.run<[], T, () => Promise<T>>(act);
}

function registryOf(definition: DataFlow) {
  const built = buildRegistry({
    operations: [],
    pipelines: [],
    workflows: [],
    dataFlows: [{ definition, locate: () => definition.site }],
    models: new Map(),
    readFile: () => undefined,
  });
  if (built.registry === undefined) throw new Error(built.problems.map(formatProblem).join('\n'));
  return built.registry;
}
