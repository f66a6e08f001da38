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
import { pipelineName } from '../src/attribute-pipeline/pipeline.js';
import {
  ATTRIBUTE_RUN_TIMEOUT_MS,
  attributeArguments,
  RECONCILE_ATTRIBUTES_ACTIVITY,
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
import { evaluateAttributes } from './attribute-questions.js';
import { onTheCurrentBuild } from './current-build.js';
import { continueWhereSuggested } from './long-history.js';
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
  const refresh = new Refresh(before);
  return task.kind === 'changed' ? refresh.whatHasChanged(task) : refresh.all(task);
}

/** What a schedule starts each minute: brings the catalog and the workflows of runs into agreement. */
export async function reconcileAttributes(): Promise<void> {
  await reconcile();
}

setWorkflowOptions(onTheCurrentBuild, refreshAttributes);
setWorkflowOptions(onTheCurrentBuild, reconcileAttributes);

type TaskOf<K extends RefreshTask['kind']> = Extract<RefreshTask, { readonly kind: K }>;

class Refresh {
  /** By the names of their pipelines. */
  readonly #running = new Map<string, Promise<void>>();
  /** Names of pipelines whose runs have failed since something has changed last. */
  readonly #failing = new Set<string>();
  #changed = false;
  #completed: number;
  #failed: number;

  constructor({ completed, failed }: RefreshResult) {
    this.#completed = completed;
    this.#failed = failed;
    setHandler(attributesChanged, () => {
      this.#changed = true;
      this.#failing.clear();
    });
  }

  /** A pipeline that waits, for its budget say, holds up what depends on it, and nothing else. */
  async whatHasChanged(task: TaskOf<'changed'>): Promise<RefreshResult> {
    await sleep(GATHER);
    for (;;) {
      this.#changed = false;
      const running = [...this.#running.keys()];
      for (const run of await plan({ task, running, failed: [...this.#failing] }))
        this.#start(run, {
          run,
          trigger: 'entity_save',
          reference: workflowInfo().workflowId,
          task: { force: false, changedOnly: true },
        });
      this.#tell();
      if (this.#running.size === 0) {
        if (running.length === 0 && !this.#isChanged()) return this.#result;
        // What has ended since it was asked may have kept others from beginning.
        continue;
      }
      await Promise.race([condition(() => this.#changed), ...this.#running.values()]);
      if (workflowInfo().continueAsNewSuggested) await Promise.all(this.#running.values());
      await continueWhereSuggested(() =>
        continueAsNew<typeof refreshAttributes>(task, this.#result),
      );
    }
  }

  /** Signals come while something is awaited, which the compiler does not know. */
  #isChanged(): boolean {
    return this.#changed;
  }

  async all(task: TaskOf<'all'>): Promise<RefreshResult> {
    const { trigger, principal, task: wanted } = task;
    const planned = await plan({ task, running: [], failed: [] });
    const waiting = planned.filter(({ evalsOnly }) => evalsOnly !== true);
    const evals = trigger === 'schedule' ? new NightlyEvals(planned) : undefined;
    while (waiting.length > 0 || this.#running.size > 0) {
      const left = new Set(waiting.map(pipelineName));
      const ready = waiting.filter(({ after }) =>
        after.every((name) => !left.has(name) && !this.#running.has(name)),
      );
      for (const run of ready.slice(0, AT_ONCE - this.#running.size)) {
        waiting.splice(waiting.indexOf(run), 1);
        this.#start(run, {
          run,
          trigger,
          reference: workflowInfo().workflowId,
          task: wanted,
          ...(principal !== undefined && { principal }),
        });
      }
      evals?.run((name) => !left.has(name) && !this.#running.has(name));
      this.#tell();
      await Promise.race(this.#running.values());
    }
    await evals?.ended();
    await this.#follow();
    return this.#result;
  }

  /** What was written may be read by pipelines that were not asked for. The reconciliation of each minute does it, too. */
  async #follow(): Promise<void> {
    try {
      await reconcile();
    } catch (error) {
      if (isCancellation(error)) throw error;
    }
  }

  get #result(): RefreshResult {
    return { completed: this.#completed, failed: this.#failed };
  }

  #start(run: RefreshRun, wanted: RefreshRequest): void {
    const name = pipelineName(run);
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
      await executeChild(pipelineName(run), childOptions(run));
      this.#completed += 1;
    } catch (error) {
      if (isCancellation(error)) throw error;
      // The run has said why, in the catalog: those of other pipelines go on.
      this.#failed += 1;
      this.#failing.add(pipelineName(run));
    }
  }

  #tell(): void {
    const running = [...this.#running.keys()].map((name) => `**${name}**`).join(', ');
    setCurrentDetails(
      `Completed ${String(this.#completed)}, failed ${String(this.#failed)}. Running: ${running || 'none'}`,
    );
  }
}

/** The evals of a night, whatever has changed: those of each pipeline when its run is over, so that one that waits holds up no other. */
class NightlyEvals {
  readonly #since = new Date().toISOString();
  readonly #waiting: RefreshRun[];
  readonly #running = new Set<Promise<void>>();

  constructor(pipelines: readonly RefreshRun[]) {
    this.#waiting = [...pipelines];
  }

  /** @param isOver - tells by the name of a pipeline whether its run is over, or there is none */
  run(isOver: (pipeline: string) => boolean): void {
    const ready = this.#waiting.filter((one) => isOver(pipelineName(one)));
    for (const one of ready.slice(0, AT_ONCE - this.#running.size)) {
      this.#waiting.splice(this.#waiting.indexOf(one), 1);
      const running = this.#evaluate(one).finally(() => this.#running.delete(running));
      this.#running.add(running);
    }
  }

  async ended(): Promise<void> {
    while (this.#waiting.length > 0 || this.#running.size > 0) {
      this.run(() => true);
      await Promise.race(this.#running);
    }
  }

  /** Those that cannot be run keep no others from it. */
  async #evaluate({ entityType, attribute }: RefreshRun): Promise<void> {
    try {
      await evaluateAttributes({ entityType, attribute, all: true, since: this.#since });
    } catch (error) {
      if (isCancellation(error)) this.#waiting.length = 0;
    }
  }
}

function childOptions(run: RefreshRun) {
  return {
    workflowId: run.workflowId,
    args: [attributeArguments(run.run, run, true)],
    workflowExecutionTimeout: ATTRIBUTE_RUN_TIMEOUT_MS + TIMEOUT_MARGIN_MS,
    parentClosePolicy: ParentClosePolicy.ABANDON,
  };
}
