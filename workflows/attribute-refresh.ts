import {
  condition,
  continueAsNew,
  defineSignal,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  setWorkflowOptions,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { AttributePipelineActivities } from '../activities/attribute-pipeline/activities.js';
import {
  ATTRIBUTE_INTERPRETER,
  ATTRIBUTE_RUN_TIMEOUT_MS,
  RECONCILE_ATTRIBUTES_ACTIVITY,
  type AttributeArguments,
} from '../src/attribute-pipeline/plan.js';
import {
  ATTRIBUTES_CHANGED_SIGNAL,
  PLAN_REFRESH_ACTIVITY,
  REQUEST_ATTRIBUTES_ACTIVITY,
  type RefreshRequest,
  type RefreshResult,
  type RefreshRun,
  type RefreshTask,
} from '../src/attribute-pipeline/refresh.js';
import { EVALS_ACTIVITY } from '../src/attribute-pipeline/asked-pipeline.js';
import { settleAll } from './pool.js';
import { onTheCurrentBuild } from './current-build.js';
import { TIMEOUT_MARGIN_MS } from '../src/definition/run-timeout.js';

/** What changes within this time of the first change is looked at together. */
const GATHER = '500ms';

/** Runs of one refresh that go on at once. */
const AT_ONCE = 10;

const { [PLAN_REFRESH_ACTIVITY]: plan, [REQUEST_ATTRIBUTES_ACTIVITY]: request } =
  proxyActivities<AttributePipelineActivities>({
    startToCloseTimeout: '1m',
    scheduleToCloseTimeout: '1d',
    retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
  });

const { [EVALS_ACTIVITY]: evals } = proxyActivities<AttributePipelineActivities>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '10s',
  // Those that have run are not run again.
  retry: { maximumAttempts: 3, initialInterval: '1s' },
});

const { [RECONCILE_ATTRIBUTES_ACTIVITY]: reconcile } = proxyActivities<AttributePipelineActivities>(
  {
    startToCloseTimeout: '2m',
    retry: { maximumAttempts: 2 },
  },
);

const attributesChanged = defineSignal(ATTRIBUTES_CHANGED_SIGNAL);

/** Runs pipelines, each after those that it reads from: all of a task, or what has changed, until nothing is left to do. */
export async function refreshAttributes(
  task: RefreshTask,
  before: RefreshResult = { completed: 0, failed: 0 },
): Promise<RefreshResult> {
  const refresh = new Refresh(task, before);
  return task.kind === 'changed' ? refresh.whatHasChanged() : refresh.all();
}

/** What a schedule starts each minute: brings the catalog and the workflows of runs into agreement. */
export async function reconcileAttributes(): Promise<void> {
  await reconcile();
}

setWorkflowOptions(onTheCurrentBuild, refreshAttributes);
setWorkflowOptions(onTheCurrentBuild, reconcileAttributes);

class Refresh {
  /** By the names of their pipelines. */
  readonly #running = new Map<string, Promise<void>>();
  /** Names of pipelines whose runs have failed since something has changed last. */
  readonly #failing = new Set<string>();
  #changed = false;
  #completed: number;
  #failed: number;

  constructor(
    private readonly task: RefreshTask,
    { completed, failed }: RefreshResult,
  ) {
    this.#completed = completed;
    this.#failed = failed;
    setHandler(attributesChanged, () => {
      this.#changed = true;
      this.#failing.clear();
    });
  }

  /** A pipeline that waits, for its budget say, holds up what depends on it, and nothing else. */
  async whatHasChanged(): Promise<RefreshResult> {
    const { task } = this;
    if (task.kind !== 'changed') return this.#result;
    await sleep(GATHER);
    for (;;) {
      this.#changed = false;
      const running = [...this.#running.keys()];
      for (const run of await plan({ task, running, failed: [...this.#failing] }))
        this.#start(run, {
          run,
          trigger: 'entity_save',
          task: { force: false, changedOnly: true },
        });
      this.#tell();
      if (this.#running.size === 0) {
        if (running.length === 0 && !this.#isChanged()) return this.#result;
        // What has ended since it was asked may have kept others from beginning.
        continue;
      }
      await Promise.race([condition(() => this.#changed), ...this.#running.values()]);
      if (!workflowInfo().continueAsNewSuggested) continue;
      await Promise.all(this.#running.values());
      await continueAsNew<typeof refreshAttributes>(task, this.#result);
    }
  }

  /** Signals come while something is awaited, which the compiler does not know. */
  #isChanged(): boolean {
    return this.#changed;
  }

  async all(): Promise<RefreshResult> {
    const { task } = this;
    if (task.kind !== 'all') return this.#result;
    const { trigger, principal, task: wanted } = task;
    const planned = await plan({ task, running: [], failed: [] });
    const waiting = [...planned];
    while (waiting.length > 0 || this.#running.size > 0) {
      const left = new Set(waiting.map(nameOf));
      const ready = waiting.filter(({ after }) =>
        after.every((name) => !left.has(name) && !this.#running.has(name)),
      );
      for (const run of ready.slice(0, AT_ONCE - this.#running.size)) {
        waiting.splice(waiting.indexOf(run), 1);
        this.#start(run, {
          run,
          trigger,
          task: wanted,
          ...(principal !== undefined && { principal }),
        });
      }
      this.#tell();
      await Promise.race(this.#running.values());
    }
    // Each night, whatever has changed.
    if (trigger === 'schedule') await evaluateAll(planned);
    return this.#result;
  }

  get #result(): RefreshResult {
    return { completed: this.#completed, failed: this.#failed };
  }

  #start(run: RefreshRun, wanted: RefreshRequest): void {
    const name = nameOf(run);
    this.#running.set(
      name,
      this.#run(run, wanted).finally(() => {
        this.#running.delete(name);
      }),
    );
  }

  async #run(run: RefreshRun, wanted: RefreshRequest): Promise<void> {
    try {
      await request(wanted);
      await executeChild(nameOf(run), childOptions(run));
      this.#completed += 1;
    } catch (error) {
      if (isCancellation(error)) throw error;
      // The run has said why, in the catalog: those of other pipelines go on.
      this.#failed += 1;
      this.#failing.add(nameOf(run));
    }
  }

  #tell(): void {
    const running = [...this.#running.keys()].map((name) => `**${name}**`).join(', ');
    setCurrentDetails(
      `Completed ${String(this.#completed)}, failed ${String(this.#failed)}. Running: ${running || 'none'}`,
    );
  }
}

/** One that cannot be run keeps no other from it. */
async function evaluateAll(pipelines: readonly RefreshRun[]): Promise<void> {
  const since = new Date().toISOString();
  await settleAll(pipelines, AT_ONCE, async ({ entityType, attribute }) =>
    evals({ entityType, attribute, all: true, since }),
  );
}

function nameOf({ entityType, attribute }: RefreshRun): string {
  return `${entityType}.${attribute}`;
}

function childOptions({ entityType, attribute, run, workflowId }: RefreshRun) {
  const argument: AttributeArguments = {
    interpreter: ATTRIBUTE_INTERPRETER,
    kind: 'attribute_pipeline',
    entityType,
    attribute,
    run,
    timeoutMs: ATTRIBUTE_RUN_TIMEOUT_MS,
    queue: true,
  };
  return {
    workflowId,
    args: [argument],
    workflowExecutionTimeout: ATTRIBUTE_RUN_TIMEOUT_MS + TIMEOUT_MARGIN_MS,
    parentClosePolicy: ParentClosePolicy.ABANDON,
  };
}
