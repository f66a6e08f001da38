import {
  decodeArrayFromPayloads,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { LoadedDataConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { pipelineName } from '../../src/attribute-pipeline/pipeline.js';
import {
  isAttributeArguments,
  type AttributesBegun,
  type ComputeOutcome,
} from '../../src/attribute-pipeline/plan.js';
import { isFlowArguments, type MoveOutcome } from '../../src/data-flow/run.js';
import { isPlainObject, type Json } from '../../src/definition/json.js';
import { TIMEOUT_SUMMARY } from '../../src/definition/run-timeout.js';
import { FAILURE_TYPES, type Failure } from '../../src/pipeline/failure.js';
import {
  IGNORES_ACTIVITY,
  QUICK_ACTIVITY,
  type IgnoresDecision,
  type OperationOutcome,
  type QuickOutcome,
} from '../../src/pipeline/operation-task.js';
import type { PipelinePlan } from '../../src/pipeline/plan.js';
import type { HistoryEvent, OperationPlace } from '../../src/progress/history-event.js';
import {
  BEGIN_RECORDS_ACTIVITY,
  isRecordArguments,
  type DrainOutcome,
} from '../../src/record-pipeline/plan.js';
import { isTaskPlan } from '../../src/task/plan.js';
import { APPROVAL_SUMMARY, isStepOutcome, stepOfActivityId } from '../../src/task/step-outcome.js';
import { isStepSignal, STEP_SIGNAL, type StepSignal } from '../../src/task/step-signal.js';
import { failureOf } from '../run-result.js';

type TemporalEvent = temporal.api.history.v1.IHistoryEvent;
type Payloads = temporal.api.common.v1.IPayloads | null | undefined;

/** Numbers of temporal.api.enums.v1.TimeoutType. */
const HEARTBEAT_TIMEOUT = 4;

/** Decodes the history of one run, event by event and in order. Keeps what later events refer to. */
export class HistoryDecoder {
  /** Attempts and start times of activities; Temporal writes them into an event of their own. */
  readonly #started = new Map<number, { readonly attempts: number; readonly startedAt: number }>();
  /** Activities that claim the store of a record pipeline: what they return says nothing. */
  readonly #claims = new Set<number>();
  /** The steps of tasks that wait for approval, by the numbers of their timers' events. */
  readonly #approvals = new Map<number, string>();

  constructor(private readonly converter: LoadedDataConverter) {}

  /** The event as the fold takes it, or undefined when it says nothing about progress. */
  async decode(event: TemporalEvent): Promise<HistoryEvent | undefined> {
    const at = { eventId: Number(event.eventId), time: timeMs(event.eventTime) };
    if (event.workflowExecutionStartedEventAttributes) {
      return { ...at, ...(await this.#runStarted(event.workflowExecutionStartedEventAttributes)) };
    }
    if (event.workflowTaskStartedEventAttributes) return { ...at, type: 'run_taken' };
    if (event.activityTaskScheduledEventAttributes) {
      const { activityId, activityType } = event.activityTaskScheduledEventAttributes;
      if (activityType?.name === BEGIN_RECORDS_ACTIVITY) this.#claims.add(at.eventId);
      const place = operationPlace(activityId ?? '');
      const step = stepOfActivityId(activityId ?? '');
      return {
        ...at,
        type: 'activity_scheduled',
        activityType: activityType?.name ?? '',
        ...(place && { place }),
        ...(step !== undefined && { step }),
      };
    }
    if (event.activityTaskStartedEventAttributes) {
      const { scheduledEventId, attempt } = event.activityTaskStartedEventAttributes;
      this.#started.set(Number(scheduledEventId), { attempts: attempt ?? 1, startedAt: at.time });
      return undefined;
    }
    if (event.activityTaskCancelRequestedEventAttributes) {
      const { scheduledEventId } = event.activityTaskCancelRequestedEventAttributes;
      return {
        ...at,
        type: 'activity_cancel_requested',
        scheduledEventId: Number(scheduledEventId),
      };
    }
    if (event.timerStartedEventAttributes) return this.#waits(at, event);
    if (event.timerFiredEventAttributes) {
      const step = this.#approvals.get(Number(event.timerFiredEventAttributes.startedEventId));
      return step === undefined ? undefined : { ...at, type: 'approval_timed_out', step };
    }
    const signal = await this.#signalled(event.workflowExecutionSignaledEventAttributes);
    if (signal !== undefined) return { ...at, type: 'step_signalled', signal };
    const activity = await this.#activityEnded(event);
    if (activity !== undefined) return { ...at, ...activity };
    const ended = await this.#runEnded(event);
    if (ended !== undefined) return { ...at, ...ended };
    const local = await this.#localActivityEnded(event.markerRecordedEventAttributes);
    return local === undefined ? undefined : { ...at, ...local };
  }

  async #runStarted(
    attributes: temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes,
  ): Promise<Without<'run_started'>> {
    const argument = await this.#first(attributes.input);
    const plan = isPlainObject(argument) && isPlan(argument['plan']) ? argument['plan'] : undefined;
    if (isFlowArguments(argument)) {
      const { flow: name, runSeq } = argument;
      return { type: 'run_started', name, inputKeys: [], runSeq };
    }
    if (isRecordArguments(argument)) {
      const { pipeline: name, run: recordRun } = argument;
      return { type: 'run_started', name, inputKeys: [], recordRun };
    }
    if (isAttributeArguments(argument)) {
      const { run: attributeRun } = argument;
      return {
        type: 'run_started',
        name: pipelineName(argument),
        inputKeys: [],
        attributeRun,
      };
    }
    const task =
      isPlainObject(argument) && isTaskPlan(argument['plan']) ? argument['plan'] : undefined;
    const isPlanned = plan !== undefined || task !== undefined;
    const input = isPlanned && isPlainObject(argument) ? argument['input'] : argument;
    return {
      type: 'run_started',
      name: attributes.workflowType?.name ?? '',
      inputKeys: isPlainObject(input) ? Object.keys(input) : [],
      ...(plan !== undefined && { plan }),
      ...(task !== undefined && { task }),
    };
  }

  async #activityEnded(
    event: TemporalEvent,
  ): Promise<
    | Without<'activity_completed'>
    | Without<'activity_failed'>
    | Without<'rows_moved'>
    | Without<'records_begun'>
    | Without<'records_drained'>
    | Without<'attributes_begun'>
    | Without<'attributes_computed'>
    | undefined
  > {
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed) {
      if (this.#claims.delete(Number(completed.scheduledEventId))) return { type: 'records_begun' };
      const outcome = await this.#first(completed.result);
      if (isMoveOutcome(outcome)) return { type: 'rows_moved', outcome };
      if (isDrainOutcome(outcome)) return { type: 'records_drained', outcome };
      if (isAttributesBegun(outcome)) return { type: 'attributes_begun', begun: outcome };
      if (isComputeOutcome(outcome)) return { type: 'attributes_computed', outcome };
      const known = isStepOutcome(outcome)
        ? { stepOutcome: outcome }
        : isOutcome(outcome)
          ? { outcome }
          : {};
      return {
        type: 'activity_completed',
        ...this.#activity(completed.scheduledEventId),
        ...known,
      };
    }
    const failed =
      event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
    if (!failed) return undefined;
    const failure = event.activityTaskTimedOutEventAttributes
      ? timeoutFailure(failed.failure?.timeoutFailureInfo?.timeoutType ?? 0)
      : await this.#failure(failed.failure);
    return { type: 'activity_failed', ...this.#activity(failed.scheduledEventId), failure };
  }

  /** What somebody has told a task of one of its steps. */
  async #signalled(
    signalled: temporal.api.history.v1.IWorkflowExecutionSignaledEventAttributes | null | undefined,
  ): Promise<StepSignal | undefined> {
    if (signalled?.signalName !== STEP_SIGNAL) return undefined;
    const signal = await this.#first(signalled.input);
    return isStepSignal(signal) ? signal : undefined;
  }

  /** Waits of ours say what they are for. */
  async #waits(
    at: Pick<HistoryEvent, 'eventId' | 'time'>,
    { userMetadata }: TemporalEvent,
  ): Promise<HistoryEvent | undefined> {
    const { summary } = userMetadata ?? {};
    if (!summary) return undefined;
    const [reason] = await decodeArrayFromPayloads(this.converter, [summary]);
    if (typeof reason !== 'string' || reason === TIMEOUT_SUMMARY) return undefined;
    if (reason.startsWith(APPROVAL_SUMMARY)) {
      this.#approvals.set(at.eventId, reason.slice(APPROVAL_SUMMARY.length));
      return undefined;
    }
    return { ...at, type: 'run_waits', reason };
  }

  #activity(scheduledEventId: unknown): {
    scheduledEventId: number;
    attempts: number;
    startedAt?: number;
  } {
    const id = Number(scheduledEventId);
    const started = this.#started.get(id);
    this.#started.delete(id);
    return { scheduledEventId: id, attempts: 1, ...started };
  }

  async #runEnded(event: TemporalEvent): Promise<RunEnd | undefined> {
    const completed = event.workflowExecutionCompletedEventAttributes;
    if (completed) {
      // What a workflow returned came through JSON.
      return {
        type: 'run_completed',
        result: ((await this.#first(completed.result)) ?? null) as Json,
      };
    }
    const failed = event.workflowExecutionFailedEventAttributes;
    if (failed) return { type: 'run_failed', failure: await this.#failure(failed.failure) };
    if (event.workflowExecutionCanceledEventAttributes) return { type: 'run_cancelled' };
    const terminated = event.workflowExecutionTerminatedEventAttributes;
    if (terminated) return { type: 'run_terminated', reason: terminated.reason ?? '' };
    return event.workflowExecutionTimedOutEventAttributes ? { type: 'run_timed_out' } : undefined;
  }

  async #localActivityEnded(
    marker: temporal.api.history.v1.IMarkerRecordedEventAttributes | null | undefined,
  ): Promise<Without<'quick_completed'> | Without<'failure_decided'> | undefined> {
    if (marker?.markerName !== 'core_local_activity') return undefined;
    // The SDK writes the marker's own data as plain JSON; the codecs were not applied to it.
    const data = marker.details?.['data']?.payloads?.[0]?.data;
    const text = data ? Buffer.from(data).toString('utf8') : '';
    const type = [QUICK_ACTIVITY, IGNORES_ACTIVITY].find((name) => text.includes(`"${name}"`));
    if (type === undefined) return undefined;
    const result = await this.#first(marker.details?.['result']);
    if (!isPlainObject(result)) return undefined;
    // The activity's type says what it returns.
    return type === QUICK_ACTIVITY
      ? { type: 'quick_completed', outcome: result as unknown as QuickOutcome }
      : { type: 'failure_decided', decision: result as unknown as IgnoresDecision };
  }

  async #failure(failure: temporal.api.failure.v1.IFailure | null | undefined): Promise<Failure> {
    return failureOf(await decodeOptionalFailureToOptionalError(this.converter, failure));
  }

  async #first(payloads: Payloads): Promise<unknown> {
    const first = payloads?.payloads?.[0];
    if (!first) return undefined;
    const [value] = await decodeArrayFromPayloads(this.converter, [first]);
    return value;
  }
}

type Without<T extends HistoryEvent['type']> = T extends unknown
  ? Omit<Extract<HistoryEvent, { type: T }>, 'eventId' | 'time'>
  : never;

type RunEnd =
  | Without<'run_completed'>
  | Without<'run_failed'>
  | Without<'run_cancelled'>
  | Without<'run_terminated'>
  | Without<'run_timed_out'>;

/** The place in the plan that an activity id of ours says. */
export function operationPlace(activityId: string): OperationPlace | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(activityId);
  if (match === null) return undefined;
  return { stage: Number(match[1]), operation: Number(match[2]), round: Number(match[3]) };
}

function timeoutFailure(timeoutType: number): Failure {
  return timeoutType === HEARTBEAT_TIMEOUT
    ? {
        type: 'WorkerLost',
        message: 'The worker that ran it stopped answering, in every attempt.',
        retryable: true,
      }
    : {
        type: FAILURE_TYPES.timeout,
        message: 'It took longer than its time limit.',
        retryable: true,
      };
}

function timeMs(timestamp: temporal.api.history.v1.IHistoryEvent['eventTime']): number {
  return Number(timestamp?.seconds ?? 0) * 1_000 + Math.floor((timestamp?.nanos ?? 0) / 1_000_000);
}

function isPlan(value: unknown): value is PipelinePlan {
  return isPlainObject(value) && value['kind'] === 'pipeline' && Array.isArray(value['stages']);
}

function isOutcome(value: unknown): value is OperationOutcome {
  return isPlainObject(value) && isPlainObject(value['effect']);
}

function isDrainOutcome(value: unknown): value is DrainOutcome {
  return isPlainObject(value) && isPlainObject(value['queues']) && 'recordsPerSecond' in value;
}

function isAttributesBegun(value: unknown): value is AttributesBegun {
  return isPlainObject(value) && isPlainObject(value['plan']) && 'total' in value;
}

function isComputeOutcome(value: unknown): value is ComputeOutcome {
  return isPlainObject(value) && isPlainObject(value['attributes']) && 'done' in value;
}

function isMoveOutcome(value: unknown): value is MoveOutcome {
  return isPlainObject(value) && isPlainObject(value['counts']) && 'rowsPerSecond' in value;
}
