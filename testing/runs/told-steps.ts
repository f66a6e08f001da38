import { setTimeout as delay } from 'node:timers/promises';
import type { Execution } from '../../engine/execution.js';
import { StepRefused } from '../../engine/step-request.js';
import type { Run } from '../../engine/run.js';
import { isClosed } from '../../src/progress/status.js';
import { stepsOf, type StepProgress } from '../../src/progress/task-progress.js';
import { stepRefusal, type StepSignal } from '../../src/task/step-signal.js';
import { TaskSteps } from '../../src/task/task-steps.js';
import type { TestEngine } from '../test-engine.js';
import { TaskWaits, type AwaitedStep } from './stub-errors.js';

const LOOK_INTERVAL_MS = 30;

/** How much time passes at once where it can be skipped, while something is to be told. */
const SKIPPED_MS = 10_000;

/** An approval that ends by itself this soon is waited for, in milliseconds. */
const SOON_MS = 5_000;

/** By then a task has heard what it was told. */
const HEARD_WITHIN_MS = 2_000;

/** How a task is brought to its end. */
export interface Telling {
  readonly tell: readonly StepSignal[];
  /** Time passes by itself while a result is waited for. */
  readonly skipsTime: boolean;
}

/**
 * Waits for the end of a task, and tells of its steps what is to be told, each as soon as it may be.
 *
 * @throws {@link TaskWaits} where it would wait for somebody who does not come
 */
export async function bringToEnd(
  engine: TestEngine,
  run: Run,
  { tell, skipsTime }: Telling,
): Promise<void> {
  let left = [...tell];
  for (;;) {
    const execution = await run.describe();
    if (isClosed(execution.status)) return;
    const due = dueOf(execution, left);
    if (due !== undefined && (await told(run, due))) {
      left = left.filter((signal) => signal !== due);
      continue;
    }
    const waiting = awaited(execution, left, skipsTime);
    if (waiting.length > 0) throw new TaskWaits(run.name, waiting);
    if (left.length === 0 && skipsTime) {
      // How it ends is told by its description. A task that waits for a retry has a longest duration.
      await run.result().catch(() => undefined);
      return;
    }
    await (skipsTime ? engine.sleep(SKIPPED_MS) : delay(LOOK_INTERVAL_MS));
  }
}

/** What may be told now: of each step, the first. */
function dueOf(execution: Execution, left: readonly StepSignal[]): StepSignal | undefined {
  return left.find(
    (signal, at) =>
      left.findIndex(({ step }) => step === signal.step) === at && mayBeTold(execution, signal),
  );
}

function mayBeTold({ progress }: Execution, signal: StepSignal): boolean {
  const { task } = progress ?? {};
  if (task === undefined) return false;
  return stepRefusal(task.plan, new TaskSteps(task.plan, task.state), signal) === undefined;
}

/** Tells it, and waits until the task has heard of it. False where it is too late. */
async function told(run: Run, signal: StepSignal): Promise<boolean> {
  try {
    await run.tellStep(signal);
  } catch (error) {
    if (error instanceof StepRefused) return false;
    throw error;
  }
  const deadline = Date.now() + HEARD_WITHIN_MS;
  // A step that is retried may have failed again before anybody has looked.
  while (Date.now() < deadline && mayBeTold(await run.describe(), signal))
    await delay(LOOK_INTERVAL_MS);
  return true;
}

/** The steps for which a task waits though nobody comes; none while anything else goes on. */
function awaited(
  { progress }: Execution,
  left: readonly StepSignal[],
  skipsTime: boolean,
): readonly AwaitedStep[] {
  const { task } = progress ?? {};
  if (task === undefined || task.plan.steps.length === 0) return [];
  const steps = new TaskSteps(task.plan, task.state);
  const all = stepsOf(task);
  const isTold = ({ name }: StepProgress): boolean => left.some(({ step }) => step === name);
  const running = steps.inProgress.filter(({ step }) => step.type !== 'approval');
  if (running.length > 0 || steps.ready.length > 0) return [];
  const approvals = all.filter(
    (one) => one.type === 'approval' && one.status === 'in_progress' && !isTold(one),
  );
  const endsSoon = ({ step }: StepProgress): boolean => {
    const { approval } = task.plan.steps.find(({ name }) => name === step) ?? {};
    return skipsTime || (approval?.timeoutMs ?? 0) <= SOON_MS;
  };
  const unanswered = approvals.filter((one) => !endsSoon(one));
  const failed =
    task.plan.lifecycle.onError === 'wait' && steps.inProgress.length === 0
      ? all.filter((one) => one.status === 'error' && !isTold(one))
      : [];
  return [
    ...unanswered.map(({ name }): AwaitedStep => ({ step: name, waitsFor: 'an answer' })),
    ...failed.map(({ name }): AwaitedStep => ({
      step: name,
      waitsFor: 'a retry or a resolution',
    })),
  ];
}
