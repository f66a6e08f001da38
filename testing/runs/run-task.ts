import { readEndings } from '../../engine/recording/read-recording.js';
import type { RecordedStep, Recording } from '../../engine/recording/recording.js';
import type { Run } from '../../engine/run.js';
import type { Json, JsonObject } from '../../src/definition/json.js';
import { FAILURE_TYPES } from '../../src/pipeline/failure.js';
import type { RunEvent } from '../../src/progress/run-event.js';
import { stepsOf, type StepProgress } from '../../src/progress/task-progress.js';
import type { StepSignal } from '../../src/task/step-signal.js';
import type { Task } from '../../src/task/task.js';
import type { TestEngine } from '../test-engine.js';
import {
  eventsOf,
  onOwnEngine,
  sourcesOf,
  type DefinitionRunOptions,
  withEnd,
  type RunEnd,
} from './definition-run.js';
import type { ObservedHandler, StepGot } from './observed-handler.js';
import { StubbedTask } from './stubbed-task.js';
import { StubRefused, StubUnknown } from './stub-errors.js';
import type { StepStubs } from './stub.js';
import { bringToEnd } from './told-steps.js';

/** How {@link runTask} runs a task. */
export interface RunTaskOptions extends DefinitionRunOptions {
  readonly input: JsonObject;
  /** What stands in for handlers. What it returns is checked as the handler's own results are. */
  readonly handlers?: StepStubs;
  /** What people tell of steps, each as soon as it may be told: answers to approvals, retries, resolutions. */
  readonly tell?: readonly StepSignal[];
  /** A run that was recorded: its steps do what they did then, but for those that have stubs, and the same is told of them. */
  readonly recording?: Recording & { readonly kind: 'task' };
  /** Steps that do their work all the same, by their names or those of their handlers. */
  readonly real?: readonly string[];
}

/** A step of a task that was run, or a worker of a batch. */
export interface StepRun extends Omit<StepProgress, 'handler'> {
  /** The handler's name; approvals have none. */
  readonly handler?: string;
  /** Something stood in for its handler. */
  readonly stubbed: boolean;
  /** The results of those that it depends on, by their names, where it was reached. */
  readonly got?: StepGot;
}

interface TaskRunParts {
  /** The workflow id. */
  readonly id: string;
  readonly events: readonly RunEvent[];
  /** In the order of the task; workers of a batch by their own names. */
  readonly steps: readonly StepRun[];
  /**
   * One of them, by its name.
   *
   * @throws {@link StubUnknown} for a name that there is not
   */
  readonly step: (name: string) => StepRun;
}

/** A run of a task that is over. */
export type TaskRun = TaskRunParts & RunEnd<Json>;

/**
 * Runs a task whole on a real Temporal server, with some of its handlers replaced. The server is shared by all such runs of a process,
 * unless `TEMPORAL_ADDRESS` or `config.temporal` names one. A run that has failed is returned, too; to ask for its `result` throws
 * {@link RunFailed}.
 *
 * @param task - the task, or its name in the project of `dir`
 * @example
 * ```ts
 * const { result, step } = await runTask('fulfil-order', {
 *   dir: '.',
 *   input: { order_id: 'A-1', amount: 5000 },
 *   handlers: { charge_card: { charged: 5000 } },
 *   tell: [{ kind: 'answer', step: 'approve', approved: true, result: {} }],
 * });
 * ```
 *
 * @throws {@link StubUnknown} for a stub of what there is not, {@link StubRefused} for one that returns what its step cannot,
 *   {@link TaskWaits}, {@link RecordingOutdated}, {@link ContractViolation} for an input that does not fit, and what
 *   {@link createTestEngine} throws
 */
export async function runTask(task: Task | string, options: RunTaskOptions): Promise<TaskRun> {
  const { input, handlers, recording, real, tell = recording?.told ?? [], ...rest } = options;
  const name = typeof task === 'string' ? task : task.name;
  const sources = sourcesOf(task, options.dir, (one) => ({ tasks: [one] }));
  let stubbed: StubbedTask | undefined;
  return onOwnEngine(sources, rest, {
    change: (project) => {
      stubbed = new StubbedTask(project, name, { handlers, recording, real });
      return stubbed.project;
    },
    work: async (engine) => {
      const { principal } = rest;
      const run = await engine.start(name, input, {
        ...(principal !== undefined && { principal }),
      });
      await bringToEnd(engine, run, { tell, skipsTime: rest.server === 'time-skipping' });
      return outcomeOf(engine, run, name, stubbed?.handlers ?? []);
    },
  });
}

async function outcomeOf(
  engine: TestEngine,
  run: Run,
  name: string,
  handlers: readonly ObservedHandler[],
): Promise<TaskRun> {
  const execution = await run.describe();
  const { progress } = execution;
  const { steps: ended } = await readEndings(engine.temporal.client, run.id);
  const known = progress?.task === undefined ? [] : stepsOf(progress.task);
  const steps = known.map((step) => stepRun(step, handlers, ended));
  requireStubs(name, handlers, steps);
  const parts: TaskRunParts = {
    id: run.id,
    events: await eventsOf(run),
    steps,
    step: (wanted) => find(name, steps, wanted),
  };
  return withEnd(parts, execution);
}

function stepRun(
  { handler: _, ...step }: StepProgress,
  handlers: readonly ObservedHandler[],
  ended: readonly RecordedStep[],
): StepRun {
  const observed = handlers.find((one) => one.step.name === step.step);
  const got = observed?.got.get(step.name);
  // Large ones are left out of what is known of a step.
  const last = ended.filter((one) => one.step === step.name).at(-1)?.ended;
  return {
    ...(step.status === 'complete' && last?.kind === 'done' && { result: last.result }),
    ...step,
    ...(observed?.step.handler !== undefined && { handler: observed.step.handler.callable }),
    stubbed: observed?.stub !== undefined,
    ...(got !== undefined && { got }),
  };
}

/** A stub that does not fit is a mistake of the test, and no outcome of the task. */
function requireStubs(
  name: string,
  handlers: readonly ObservedHandler[],
  steps: readonly StepRun[],
): void {
  for (const { refusal, step, returned } of handlers) {
    if (refusal !== undefined) throw new StubRefused(name, step.name, refusal);
    const wrong = steps.find(
      (one) => returned.has(one.name) && one.failure?.type === FAILURE_TYPES.stepResult,
    );
    if (wrong?.failure !== undefined)
      throw new StubRefused(name, wrong.name, wrong.failure.message);
  }
}

function find(definition: string, steps: readonly StepRun[], name: string): StepRun {
  const found = steps.find((step) => step.name === name);
  if (found !== undefined) return found;
  throw new StubUnknown(
    definition,
    [name],
    steps.map((step) => step.name),
  );
}
