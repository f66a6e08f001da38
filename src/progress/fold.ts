import type { JsonObject } from '../definition/json.js';
import { apiErrorType, FAILURE_TYPES, ignoresFailure, isOutOfTime, type Failure } from '../pipeline/failure.js';
import type { IgnoresDecision, OperationOutcome, QuickReport } from '../pipeline/operation-task.js';
import type { PipelinePlan } from '../pipeline/plan.js';
import type { HistoryEvent, OperationPlace } from './history-event.js';
import type { OperationProgress, RunProgress, StageProgress } from './progress.js';
import type { RunEvent, RunEventType } from './run-event.js';
import { isClosed } from './status.js';

/** What the fold remembers between events. Plain JSON, so that continue-as-new can carry it. */
export interface FoldState {
  readonly progress: RunProgress;
  /** Operations of scheduled activities that have not ended, by the number of the scheduling event. */
  readonly scheduled: Readonly<Record<number, OperationPlace>>;
}

/** The events that one history event yields, without their ids. */
export type Told = Omit<RunEvent, 'id'>;

/** One step of the fold. */
export interface FoldStep {
  readonly state: FoldState;
  readonly events: readonly Told[];
}

/**
 * Folds one event of a run's history into what is known of the run. Pure: the same history gives the same events, on any
 * machine and at any time, which is what lets a client go on with another server.
 *
 * @param state - undefined before the first event, which must be `run_started`
 */
export function foldEvent(state: FoldState | undefined, event: HistoryEvent): FoldStep {
  if (event.type === 'run_started') return begin(event);
  if (state === undefined) throw new RangeError(`a history begins with run_started, not with ${event.type}`);
  return new Step(state, event.time).take(event);
}

function begin(event: HistoryEvent & { readonly type: 'run_started' }): FoldStep {
  const { name, plan, time, inputKeys } = event;
  const progress: RunProgress = {
    name,
    ...(plan !== undefined && { plan }),
    status: 'pending',
    startedAt: time,
    stages: plan === undefined ? [] : pendingStages(plan),
    namespaceCount: 1,
  };
  const started: Told = { type: 'pipe_started', time, data: { pipe: name, input_keys: inputKeys } };
  return { state: { progress, scheduled: {} }, events: [started] };
}

function pendingStages(plan: PipelinePlan): readonly StageProgress[] {
  return plan.stages.map((stage) => ({
    name: stage.name,
    state: 'pending',
    operations: stage.operations.map(({ name, type }) => ({ name, type, state: 'pending' })),
  }));
}

/** One step, while it is taken. */
class Step {
  #progress: RunProgress;
  #scheduled: Record<number, OperationPlace>;
  readonly #events: Told[] = [];

  constructor(
    state: FoldState,
    private readonly time: number,
  ) {
    this.#progress = state.progress;
    this.#scheduled = { ...state.scheduled };
  }

  take(event: Exclude<HistoryEvent, { type: 'run_started' }>): FoldStep {
    switch (event.type) {
      case 'run_taken':
        this.#runTaken();
        break;
      case 'activity_scheduled':
        if (event.place !== undefined) this.#operationScheduled(event.eventId, event.place);
        break;
      case 'activity_completed':
      case 'activity_failed':
        this.#operationEnded(event);
        break;
      case 'failure_decided':
        this.#failureDecided(event.decision);
        break;
      case 'quick_completed':
        this.#quickCompleted(event.outcome.operations);
        if (event.outcome.missing !== undefined) this.#tellWaiting(undefined, event.outcome.missing);
        break;
      case 'run_completed':
        this.#completed(event.result as JsonObject);
        break;
      case 'run_failed':
        this.#failed(event.failure.type === FAILURE_TYPES.timeout ? 'timed_out' : 'failed', event.failure);
        break;
      case 'run_cancelled':
        this.#failed('cancelled', endedBy('cancelled', 'The run was cancelled.'));
        break;
      case 'run_terminated':
        this.#failed('terminated', endedBy('terminated', `The run was terminated: ${event.reason}`));
        break;
      case 'run_timed_out':
        this.#failed('timed_out', endedBy(FAILURE_TYPES.timeout, 'The run took longer than its timeout.'));
        break;
    }
    return { state: { progress: this.#progress, scheduled: this.#scheduled }, events: this.#events };
  }

  #runTaken(): void {
    if (this.#progress.status === 'pending') this.#progress = { ...this.#progress, status: 'running' };
    this.#passEmptyStages(this.time);
  }

  #operationScheduled(eventId: number, place: OperationPlace): void {
    this.#scheduled[eventId] = place;
    this.#startStage(place.stage, this.time);
    this.#startOperation(place.stage, place.operation, this.time);
  }

  #operationEnded(event: HistoryEvent & { readonly type: 'activity_completed' | 'activity_failed' }): void {
    const place = this.#scheduled[event.scheduledEventId];
    if (place === undefined) return;
    const { [event.scheduledEventId]: _, ...rest } = this.#scheduled;
    this.#scheduled = rest;
    const { startedAt = this.time, attempts } = event;
    const durationMs = Math.max(0, this.time - startedAt);
    if (event.type === 'activity_completed') {
      this.#endOperation(place.stage, place.operation, { startedAt, durationMs, attempts }, event.outcome);
    } else if (event.failure.type === FAILURE_TYPES.operationNotRegistered) {
      this.#tellWaiting(place.stage, this.#operation(place.stage, place.operation)?.type ?? '');
    } else {
      const { ignoreErrors } = this.#progress.plan?.stages[place.stage]?.operations[place.operation] ?? {};
      const timing = { startedAt, durationMs, attempts };
      const failure = this.#named(place, event.failure, durationMs);
      // The project's predicate is asked next; until then nobody knows what the failure means.
      if (ignoreErrors === 'predicate' && !isOutOfTime(failure)) this.#holdFailure(place, timing, failure);
      else this.#failOperation(place.stage, place.operation, timing, failure, ignoresFailure(ignoreErrors, failure));
    }
    this.#closeStage(place.stage, this.time);
  }

  /** Temporal does not say whose limit a timeout was: an attempt that took its operation's own was ended by that one. */
  #named(place: OperationPlace, failure: Failure, durationMs: number): Failure {
    if (failure.type !== FAILURE_TYPES.timeout) return failure;
    const own = this.#progress.plan?.stages[place.stage]?.operations[place.operation]?.timeoutMs;
    return { ...failure, retryable: own !== undefined && durationMs + CLOCK_SLACK_MS >= own };
  }

  #tellWaiting(stage: number | undefined, operation: string): void {
    const named = stage === undefined ? {} : { stage: this.#stageName(stage) };
    this.#tell('operation_waiting', this.time, { operation, ...named, reason: `no worker has the operation "${operation}"` });
  }

  #holdFailure({ stage, operation: index }: OperationPlace, timing: Timing, failure: Failure): void {
    const operation = this.#operation(stage, index);
    if (operation !== undefined) this.#setOperation(stage, index, { ...operation, ...timing, failure });
  }

  #failureDecided({ place, ignored }: IgnoresDecision): void {
    const { failure, startedAt = this.time, durationMs = 0, attempts = 1 } = this.#operation(place.stage, place.operation) ?? {};
    if (failure === undefined) return;
    this.#failOperation(place.stage, place.operation, { startedAt, durationMs, attempts }, failure, ignored);
    this.#closeStage(place.stage, this.time);
  }

  #quickCompleted(reports: readonly QuickReport[]): void {
    const stages = [...new Set(reports.map((report) => report.stage))].sort((a, b) => a - b);
    for (const stage of stages) {
      const ofStage = reports.filter((report) => report.stage === stage);
      const ordered = ofStage.toSorted((a, b) => a.startedAt - b.startedAt || a.operation - b.operation);
      this.#startStage(stage, ordered[0]?.startedAt ?? this.time);
      for (const report of ordered) this.#startOperation(stage, report.operation, report.startedAt);
      for (const report of ordered) {
        const { startedAt, durationMs, attempts, failure, outcome } = report;
        const timing = { startedAt, durationMs, attempts };
        if (failure !== undefined) this.#failOperation(stage, report.operation, timing, failure, false);
        else this.#endOperation(stage, report.operation, timing, outcome);
      }
      this.#closeStage(stage, Math.max(...ordered.map((report) => report.startedAt + report.durationMs)));
    }
  }

  #startStage(index: number, time: number): void {
    this.#passEmptyStages(time);
    const stage = this.#progress.stages[index];
    if (stage === undefined || stage.state !== 'pending') return;
    const { namespaceCount } = this.#progress;
    this.#setStage(index, { ...stage, state: 'running', startedAt: time, namespaceCount });
    this.#tell('stage_started', time, { stage: stage.name, namespace_count: namespaceCount });
  }

  #startOperation(stage: number, index: number, time: number): void {
    const operation = this.#operation(stage, index);
    if (operation === undefined || operation.state !== 'pending') return;
    this.#setOperation(stage, index, { ...operation, state: 'running', startedAt: time });
    this.#tell('operation_started', time, { operation: operation.name, stage: this.#stageName(stage) });
  }

  #endOperation(stage: number, index: number, timing: Timing, outcome: OperationOutcome | undefined): void {
    const effect = outcome?.effect;
    if (effect?.kind === 'ignored') {
      this.#failOperation(stage, index, timing, effect.failure, true);
      return;
    }
    const operation = this.#operation(stage, index);
    if (operation === undefined) return;
    const usage = outcome?.usage;
    this.#setOperation(stage, index, {
      ...operation,
      ...timing,
      state: 'completed',
      ...(effect?.kind === 'derived' && { derived: effect.derived.length }),
      ...(usage !== undefined && { usage }),
    });
    this.#tell('operation_completed', timing.startedAt + timing.durationMs, {
      operation: operation.name,
      stage: this.#stageName(stage),
      duration_ms: timing.durationMs,
      attempts: timing.attempts,
      ...(usage !== undefined && { usage: usageData(usage) }),
    });
  }

  #failOperation(stage: number, index: number, timing: Timing, failure: Failure, ignored: boolean): void {
    const operation = this.#operation(stage, index);
    if (operation === undefined) return;
    this.#setOperation(stage, index, { ...operation, ...timing, state: ignored ? 'ignored' : 'failed', failure });
    this.#tell('operation_failed', timing.startedAt + timing.durationMs, {
      operation: operation.name,
      stage: this.#stageName(stage),
      error: failure.message,
      type: failure.type,
      attempts: timing.attempts,
      ...(ignored && { ignored }),
    });
  }

  #closeStage(index: number, time: number): void {
    const stage = this.#progress.stages[index];
    if (stage === undefined || stage.state !== 'running') return;
    if (stage.operations.some(({ state }) => state === 'pending' || state === 'running')) return;
    const failed = stage.operations.find(({ state }) => state === 'failed');
    const duration_ms = Math.max(0, time - (stage.startedAt ?? time));
    if (failed !== undefined) {
      this.#setStage(index, { ...stage, state: 'failed', completedAt: time });
      this.#tell('stage_failed', time, { stage: stage.name, duration_ms, error: failed.failure?.message ?? '' });
      return;
    }
    const namespaceCount = stage.operations.find(({ derived }) => derived !== undefined)?.derived;
    if (namespaceCount !== undefined) this.#progress = { ...this.#progress, namespaceCount };
    this.#setStage(index, { ...stage, state: 'completed', completedAt: time });
    this.#tell('stage_completed', time, {
      stage: stage.name,
      duration_ms,
      namespace_count: this.#progress.namespaceCount,
    });
    this.#passEmptyStages(time);
  }

  /** Stages without operations leave nothing in history: they are over when what is before them is. */
  #passEmptyStages(time: number): void {
    for (const [index, stage] of this.#progress.stages.entries()) {
      if (stage.state === 'completed') continue;
      if (stage.state !== 'pending' || stage.operations.length > 0) return;
      const { namespaceCount } = this.#progress;
      this.#setStage(index, { ...stage, state: 'completed', startedAt: time, completedAt: time, namespaceCount });
      this.#tell('stage_started', time, { stage: stage.name, namespace_count: namespaceCount });
      this.#tell('stage_completed', time, { stage: stage.name, duration_ms: 0, namespace_count: namespaceCount });
    }
  }

  #completed(result: JsonObject): void {
    this.#passEmptyStages(this.time);
    this.#progress = { ...this.#progress, status: 'completed', closedAt: this.time, result };
    this.#tell('complete', this.time, { result });
  }

  #failed(status: RunProgress['status'], failure: Failure): void {
    if (isClosed(this.#progress.status)) return;
    this.#closeAll(failure);
    this.#progress = { ...this.#progress, status, closedAt: this.time, failure };
    const duration_ms = Math.max(0, this.time - this.#progress.startedAt);
    this.#tell('pipe_failed', this.time, { pipe: this.#progress.name, status, error: failure.message, duration_ms });
    this.#tell('error', this.time, {
      type: apiErrorType(failure.type),
      message: failure.message,
      code: failure.type,
      ...(failure.stage !== undefined && { stage: failure.stage }),
      ...(failure.operation !== undefined && { operation: failure.operation }),
    });
  }

  /** What was going on when the run ended is over, too. */
  #closeAll(failure: Failure): void {
    this.#progress.stages.forEach((stage, index) => {
      if (stage.state !== 'running') return;
      const failed = stage.operations.findIndex(({ name }) => failure.stage === stage.name && failure.operation === name);
      if (failed >= 0 && stage.operations[failed]?.state !== 'failed') {
        const startedAt = stage.operations[failed]?.startedAt ?? this.time;
        const timing = { startedAt, durationMs: Math.max(0, this.time - startedAt), attempts: failure.attempts ?? 1 };
        this.#failOperation(index, failed, timing, failure, false);
      }
      const operations = (this.#progress.stages[index] ?? stage).operations.map((operation): OperationProgress =>
        operation.state === 'running' || operation.state === 'pending' ? { ...operation, state: 'cancelled' } : operation,
      );
      this.#setStage(index, { ...stage, operations, state: 'failed', completedAt: this.time });
      const duration_ms = Math.max(0, this.time - (stage.startedAt ?? this.time));
      this.#tell('stage_failed', this.time, { stage: stage.name, duration_ms, error: failure.message });
    });
  }

  #operation(stage: number, index: number): OperationProgress | undefined {
    return this.#progress.stages[stage]?.operations[index];
  }

  #stageName(index: number): string {
    return this.#progress.stages[index]?.name ?? '';
  }

  #setStage(index: number, stage: StageProgress): void {
    this.#progress = { ...this.#progress, stages: this.#progress.stages.with(index, stage) };
  }

  #setOperation(stageIndex: number, index: number, operation: OperationProgress): void {
    const stage = this.#progress.stages[stageIndex];
    if (stage === undefined) return;
    this.#setStage(stageIndex, { ...stage, operations: stage.operations.with(index, operation) });
  }

  #tell(type: RunEventType, time: number, data: JsonObject): void {
    this.#events.push({ type, time, data });
  }
}

/** How much earlier than at its limit an attempt may seem to have ended: its start and end are told by two clocks. */
const CLOCK_SLACK_MS = 100;

interface Timing {
  readonly startedAt: number;
  readonly durationMs: number;
  readonly attempts: number;
}

function usageData(usage: NonNullable<OperationOutcome['usage']>): readonly JsonObject[] {
  return usage.map(({ model, inputTokens, outputTokens }) => ({
    model,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
  }));
}

function endedBy(type: string, message: string): Failure {
  return { type, message, retryable: false };
}
