import type { AttributesBegun } from '../attribute-pipeline/plan.js';
import type { JsonObject } from '../definition/json.js';
import { apiErrorType, type Failure } from '../pipeline/failure.js';
import type { OperationOutcome } from '../pipeline/operation-task.js';
import type { OperationProgress, RunProgress, StageProgress } from './progress.js';
import type { RunEvent, RunEventType } from './run-event.js';
import { isClosed } from './status.js';

/** The events that one history event yields, without their ids. */
export type Told = Omit<RunEvent, 'id'>;

/** When an operation ran, in milliseconds, and how often it was tried. */
export interface Timing {
  readonly startedAt: number;
  readonly durationMs: number;
  readonly attempts: number;
}

/** Writes a run's progress, and tells each change of it as an event. */
export class ProgressWriter {
  readonly events: Told[] = [];
  #progress: RunProgress;

  /** @param time - of the history event that is being folded */
  constructor(
    progress: RunProgress,
    private readonly time: number,
  ) {
    this.#progress = progress;
  }

  get progress(): RunProgress {
    return this.#progress;
  }

  /** A worker has taken the run. */
  taken(): void {
    if (this.#progress.status === 'pending')
      this.#progress = { ...this.#progress, status: 'running' };
    this.passEmptyStages(this.time);
  }

  startStage(index: number, time: number): void {
    this.passEmptyStages(time);
    const stage = this.#progress.stages[index];
    if (stage === undefined || stage.state !== 'pending') return;
    const { namespaceCount } = this.#progress;
    this.#setStage(index, { ...stage, state: 'running', startedAt: time, namespaceCount });
    this.tell('stage_started', time, { stage: stage.name, namespace_count: namespaceCount });
  }

  startOperation(stage: number, index: number, time: number): void {
    const operation = this.operation(stage, index);
    if (operation === undefined || operation.state !== 'pending') return;
    this.setOperation(stage, index, { ...operation, state: 'running', startedAt: time });
    this.tell('operation_started', time, {
      operation: operation.name,
      stage: this.stageName(stage),
    });
  }

  endOperation(
    stage: number,
    index: number,
    timing: Timing,
    outcome: OperationOutcome | undefined,
  ): void {
    const effect = outcome?.effect;
    if (effect?.kind === 'ignored') {
      this.failOperation(stage, index, timing, effect.failure, true);
      return;
    }
    const operation = this.operation(stage, index);
    if (operation === undefined) return;
    const usage = outcome?.usage;
    this.setOperation(stage, index, {
      ...operation,
      ...timing,
      state: 'completed',
      ...(effect?.kind === 'derived' && { derived: effect.derived.length }),
      ...(usage !== undefined && { usage }),
    });
    this.tell('operation_completed', timing.startedAt + timing.durationMs, {
      operation: operation.name,
      stage: this.stageName(stage),
      duration_ms: timing.durationMs,
      attempts: timing.attempts,
      ...(usage !== undefined && { usage: usageData(usage) }),
    });
  }

  failOperation(
    stage: number,
    index: number,
    timing: Timing,
    failure: Failure,
    ignored: boolean,
  ): void {
    const operation = this.operation(stage, index);
    if (operation === undefined) return;
    this.setOperation(stage, index, {
      ...operation,
      ...timing,
      state: ignored ? 'ignored' : 'failed',
      failure,
    });
    this.tell('operation_failed', timing.startedAt + timing.durationMs, {
      operation: operation.name,
      stage: this.stageName(stage),
      error: failure.message,
      type: failure.type,
      attempts: timing.attempts,
      ...(ignored && { ignored }),
    });
  }

  closeStage(index: number, time: number): void {
    const stage = this.#progress.stages[index];
    if (stage === undefined || stage.state !== 'running') return;
    if (stage.operations.some(({ state }) => state === 'pending' || state === 'running')) return;
    const failed = stage.operations.find(({ state }) => state === 'failed');
    const duration_ms = Math.max(0, time - (stage.startedAt ?? time));
    if (failed !== undefined) {
      this.#setStage(index, { ...stage, state: 'failed', completedAt: time });
      this.tell('stage_failed', time, {
        stage: stage.name,
        duration_ms,
        error: failed.failure?.message ?? '',
      });
      return;
    }
    const namespaceCount = stage.operations.find(({ derived }) => derived !== undefined)?.derived;
    if (namespaceCount !== undefined) this.#progress = { ...this.#progress, namespaceCount };
    this.#setStage(index, { ...stage, state: 'completed', completedAt: time });
    this.tell('stage_completed', time, {
      stage: stage.name,
      duration_ms,
      namespace_count: this.#progress.namespaceCount,
    });
    this.passEmptyStages(time);
  }

  /** Stages without operations leave nothing in history: they are over when what is before them is. */
  passEmptyStages(time: number): void {
    for (const [index, stage] of this.#progress.stages.entries()) {
      if (stage.state === 'completed') continue;
      if (stage.state !== 'pending' || stage.operations.length > 0) return;
      const { namespaceCount } = this.#progress;
      this.#setStage(index, {
        ...stage,
        state: 'completed',
        startedAt: time,
        completedAt: time,
        namespaceCount,
      });
      this.tell('stage_started', time, { stage: stage.name, namespace_count: namespaceCount });
      this.tell('stage_completed', time, {
        stage: stage.name,
        duration_ms: 0,
        namespace_count: namespaceCount,
      });
    }
  }

  /** A data flow's rows were moved. */
  moved(data: Readonly<Record<string, number>>): void {
    const { flow } = this.#progress;
    if (flow === undefined) return;
    this.#progress = { ...this.#progress, flow: { ...flow, moved: data } };
    this.tell('flow_progress', this.time, data);
  }

  /** A record pipeline's run has its store. */
  recordsBegun(): void {
    const { records, name } = this.#progress;
    if (records === undefined) return;
    const data = { record_pipeline: name, run: records.run };
    this.tell('record_pipeline_begun', this.time, data);
  }

  /** Records of a record pipeline were worked on. */
  drained(data: JsonObject): void {
    const { records } = this.#progress;
    if (records === undefined) return;
    this.#progress = { ...this.#progress, records: { ...records, drained: data } };
    this.tell('record_pipeline_progress', this.time, data);
  }

  /** A run of an attribute pipeline has its pipeline. */
  attributesBegun({ plan: { version }, total }: AttributesBegun): void {
    const { attributes, name } = this.#progress;
    if (attributes === undefined) return;
    const data = {
      attribute_pipeline: name,
      run: attributes.run,
      pipeline_version: version,
      total,
    };
    this.tell('attribute_run_begun', this.time, data);
  }

  /** Values of entities were computed. */
  attributesComputed(data: JsonObject): void {
    const { attributes } = this.#progress;
    if (attributes === undefined) return;
    this.#progress = { ...this.#progress, attributes: { ...attributes, computed: data } };
    this.tell('attribute_run_progress', this.time, data);
  }

  /** Something is waited for that may come: a worker, its code, a store, a budget. */
  waits(reason: string): void {
    const { records, attributes } = this.#progress;
    if (records !== undefined) this.tell('record_pipeline_waiting', this.time, { reason });
    if (attributes !== undefined) this.tell('attribute_run_waiting', this.time, { reason });
  }

  /** An activity of a data flow, a record or an attribute pipeline has failed, and may be tried again. */
  attemptFailed({ message, type }: Failure): void {
    const { flow, records, attributes } = this.#progress;
    const data = { error: message, type };
    if (flow !== undefined) this.tell('flow_attempt_failed', this.time, data);
    if (records !== undefined) this.tell('record_pipeline_attempt_failed', this.time, data);
    if (attributes !== undefined) this.tell('attribute_run_attempt_failed', this.time, data);
  }

  completed(result: JsonObject): void {
    this.passEmptyStages(this.time);
    this.#progress = { ...this.#progress, status: 'completed', closedAt: this.time, result };
    this.tell('complete', this.time, { result });
  }

  failed(status: RunProgress['status'], failure: Failure): void {
    if (isClosed(this.#progress.status)) return;
    this.#closeAll(failure);
    this.#progress = { ...this.#progress, status, closedAt: this.time, failure };
    const duration_ms = Math.max(0, this.time - this.#progress.startedAt);
    this.#tellFailure({ status, error: failure.message, duration_ms });
    this.tell('error', this.time, {
      type: apiErrorType(failure.type),
      message: failure.message,
      code: failure.type,
      ...(failure.stage !== undefined && { stage: failure.stage }),
      ...(failure.operation !== undefined && { operation: failure.operation }),
      ...(failure.step !== undefined && { step: failure.step }),
    });
  }

  #tellFailure(ended: JsonObject): void {
    const { name, flow, records, attributes, task } = this.#progress;
    if (task !== undefined) this.tell('task_failed', this.time, { task: name, ...ended });
    else if (flow !== undefined)
      this.tell('flow_failed', this.time, { flow: name, run_seq: flow.runSeq, ...ended });
    else if (records !== undefined)
      this.tell('record_pipeline_failed', this.time, {
        record_pipeline: name,
        run: records.run,
        ...ended,
      });
    else if (attributes !== undefined)
      this.tell('attribute_run_failed', this.time, {
        attribute_pipeline: name,
        run: attributes.run,
        ...ended,
      });
    else this.tell('pipe_failed', this.time, { pipe: name, ...ended });
  }

  /** What was going on when the run ended is over, too. */
  #closeAll(failure: Failure): void {
    this.#progress.stages.forEach((stage, index) => {
      if (stage.state !== 'running') return;
      const failed = stage.operations.findIndex(
        ({ name }) => failure.stage === stage.name && failure.operation === name,
      );
      if (failed >= 0 && stage.operations[failed]?.state !== 'failed') {
        const startedAt = stage.operations[failed]?.startedAt ?? this.time;
        const timing = {
          startedAt,
          durationMs: Math.max(0, this.time - startedAt),
          attempts: failure.attempts ?? 1,
        };
        this.failOperation(index, failed, timing, failure, false);
      }
      const operations = (this.#progress.stages[index] ?? stage).operations.map(
        (operation): OperationProgress =>
          operation.state === 'running' || operation.state === 'pending'
            ? { ...operation, state: 'cancelled', ...durationUntil(this.time, operation) }
            : operation,
      );
      this.#setStage(index, { ...stage, operations, state: 'failed', completedAt: this.time });
      const duration_ms = Math.max(0, this.time - (stage.startedAt ?? this.time));
      this.tell('stage_failed', this.time, {
        stage: stage.name,
        duration_ms,
        error: failure.message,
      });
    });
  }

  operation(stage: number, index: number): OperationProgress | undefined {
    return this.#progress.stages[stage]?.operations[index];
  }

  stageName(index: number): string {
    return this.#progress.stages[index]?.name ?? '';
  }

  #setStage(index: number, stage: StageProgress): void {
    this.#progress = { ...this.#progress, stages: this.#progress.stages.with(index, stage) };
  }

  setOperation(stageIndex: number, index: number, operation: OperationProgress): void {
    const stage = this.#progress.stages[stageIndex];
    if (stage === undefined) return;
    this.#setStage(stageIndex, { ...stage, operations: stage.operations.with(index, operation) });
  }

  tell(type: RunEventType, time: number, data: JsonObject): void {
    this.events.push({ type, time, data });
  }
}

function durationUntil(
  end: number,
  { startedAt }: OperationProgress,
): Pick<OperationProgress, 'durationMs'> {
  return startedAt === undefined ? {} : { durationMs: Math.max(0, end - startedAt) };
}

function usageData(usage: NonNullable<OperationOutcome['usage']>): readonly JsonObject[] {
  return usage.map(({ model, inputTokens, outputTokens }) => ({
    model,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
  }));
}
