import type { JsonObject } from '../definition/json.js';
import type { HandlerPlan, StepRetryPlan, StepType } from './plan.js';
import {
  stepOfActivityId,
  type DependencyResult,
  type ExecutedStep,
  type StepTask,
} from './step-outcome.js';

/**
 * The input of a step's activity, as history has it for each step. What its activity knows by itself, what is empty, and what holds unless
 * something else is said, is left out.
 */
export interface StepInput
  extends
    Pick<
      StepTask,
      'name' | 'range' | 'cursorField' | 'maxRetryWaitMs' | 'principal' | 'handedBack' | 'probe'
    >,
    Pick<ExecutedStep, 'resultSchema' | 'branches' | 'events' | 'batchSize'> {
  readonly namespace?: string;
  readonly version?: string;
  /** The step of the template, where its name is another one. */
  readonly step?: string;
  readonly type?: StepType;
  /** But for its name, which is the activity's type. */
  readonly handler?: Omit<HandlerPlan, 'callable'>;
  readonly retry?: StepRetryPlan;
  readonly fields?: JsonObject;
  readonly dependencies?: readonly InputDependency[];
}

/** Something that a step depends on. `step` is left out where it is the name. */
type InputDependency = Omit<DependencyResult, 'step'> & Partial<Pick<DependencyResult, 'step'>>;

/** What is meant where nothing is said. Histories were written by it: it does not change, whatever becomes of the defaults of templates. */
const UNSAID = {
  namespace: 'default',
  version: '1.0.0',
  retry: { maximumAttempts: 3, backoff: 'exponential', baseMs: 1_000, maximumMs: 30_000 },
} as const satisfies Partial<StepInput>;

/** What is before the id of a step's activity where a worker is only asked whether it has the handler. */
const PROBE = 'probe/';

/** The id of the activity that gets the input: the fold finds the step by it, and a probe is none of the task's steps. */
export function inputActivityId(id: string, { probe }: Pick<StepInput, 'probe'>): string {
  return probe === true ? PROBE + id : id;
}

/** True for what the workflow of a task sends to an activity of this id. */
export function isStepInput(value: unknown, activityId: string): value is StepInput {
  if (typeof value !== 'object' || value === null || !('name' in value)) return false;
  const id = activityId.startsWith(PROBE) ? activityId.slice(PROBE.length) : activityId;
  return typeof value.name === 'string' && value.name === stepOfActivityId(id);
}

/** What the workflow sends of a step. */
export function stepInput(task: StepTask): StepInput {
  const { task: _, namespace, version, step, fields, dependencies, ...own } = task;
  const { name, type, handler, retry, ...said } = step;
  const { callable: __, ...use } = handler ?? { callable: '' };
  return {
    ...own,
    ...(namespace !== UNSAID.namespace && { namespace }),
    ...(version !== UNSAID.version && { version }),
    ...(name !== own.name && { step: name }),
    ...(type !== unsaidType(own) && { type }),
    ...(Object.keys(use).length > 0 && { handler: use }),
    ...(!isUnsaidRetry(retry) && { retry }),
    ...said,
    ...(Object.keys(fields).length > 0 && { fields }),
    ...(dependencies.length > 0 && { dependencies: dependencies.map(inputDependency) }),
  };
}

/**
 * What the activity makes of it.
 *
 * @param callable - the activity's type
 */
export function stepTaskOf(
  input: StepInput,
  { task, callable }: { readonly task: string; readonly callable: string },
): StepTask {
  const { resultSchema, branches, events, batchSize } = input;
  const { name, range, cursorField, maxRetryWaitMs, principal, handedBack, probe } = input;
  return {
    task,
    namespace: input.namespace ?? UNSAID.namespace,
    version: input.version ?? UNSAID.version,
    name,
    step: {
      name: input.step ?? name,
      type: input.type ?? unsaidType(input),
      handler: { callable, ...input.handler },
      retry: input.retry ?? UNSAID.retry,
      ...(resultSchema !== undefined && { resultSchema }),
      ...(branches !== undefined && { branches }),
      ...(events !== undefined && { events }),
      ...(batchSize !== undefined && { batchSize }),
    },
    fields: input.fields ?? {},
    dependencies: (input.dependencies ?? []).map((given) => ({ step: given.name, ...given })),
    ...(range !== undefined && { range }),
    ...(cursorField !== undefined && { cursorField }),
    ...(maxRetryWaitMs !== undefined && { maxRetryWaitMs }),
    ...(principal !== undefined && { principal }),
    ...(handedBack !== undefined && { handedBack }),
    ...(probe !== undefined && { probe }),
  };
}

function unsaidType({ range }: Pick<StepInput, 'range'>): StepType {
  return range === undefined ? 'standard' : 'batch_worker';
}

function isUnsaidRetry({ maximumAttempts, backoff, baseMs, maximumMs }: StepRetryPlan): boolean {
  const { retry } = UNSAID;
  return (
    maximumAttempts === retry.maximumAttempts &&
    backoff === retry.backoff &&
    baseMs === retry.baseMs &&
    maximumMs === retry.maximumMs
  );
}

function inputDependency({ step, ...given }: DependencyResult): InputDependency {
  return step === given.name ? given : { ...given, step };
}
