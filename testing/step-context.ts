import type { Json, JsonObject } from '../src/definition/json.js';
import type { RunReference, Services } from '../src/pipeline/context.js';
import { stepContext, type StepContext } from '../src/task/step-context.js';
import type { BatchRange, DependencyResult } from '../src/task/step-outcome.js';
import { OperationReport } from './operation-report.js';

/** What a handler finds in its context in a test; everything has a default. */
export interface StepContextOptions {
  /** What the task was started with. */
  readonly taskFields?: JsonObject;
  /** What the steps have returned that this one depends on, by name: those of a batch by the names of its workers. */
  readonly dependencyResults?: Readonly<Record<string, Json>>;
  /** The step's own input. */
  readonly stepInputs?: JsonObject;
  /** What the template says as the handler's `initialization`. */
  readonly config?: JsonObject;
  /** The worker's part of a batch. */
  readonly range?: BatchRange & { readonly id?: string };
  /** What the attempt before this one has kept; by `checkpointYield`: `{ cursor, itemsProcessed, accumulated }`. */
  readonly checkpoint?: Json;
  /** From 1, which it is unless set. */
  readonly attempt?: number;
  /** 3 unless set. */
  readonly maxAttempts?: number;
  readonly services?: Partial<Services>;
  readonly signal?: AbortSignal;
  readonly task?: Partial<StepContext['task']>;
  readonly step?: Partial<StepContext['step']>;
  readonly run?: Partial<RunReference>;
  /** Gets what the handler logs, and how far it says it is. */
  readonly report?: OperationReport;
}

/**
 * Makes the context that a handler gets.
 *
 * @example
 * ```ts
 * const context = buildStepContext({ taskFields: { amount: 5 }, dependencyResults: { check: { ok: true } } });
 * ```
 */
export function buildStepContext(options: StepContextOptions = {}): StepContext {
  const { report = new OperationReport(), range, stepInputs, checkpoint } = options;
  const { taskFields = {}, dependencyResults = {}, config = {}, attempt = 1 } = options;
  const step = { name: 'test_step', template: 'test_step', ...options.step };
  return stepContext({
    task: { name: 'test_task', namespace: 'default', version: '1.0.0', ...options.task },
    step,
    fields: taskFields,
    config,
    dependencies: Object.entries(dependencyResults).map(([name, result]): DependencyResult => ({
      name,
      step: name.replace(/_\d{3,}$/, ''),
      result,
    })),
    maximumAttempts: options.maxAttempts ?? 3,
    approvalUrl: async (asked) => `https://millrace.test/approvals/${asked}`,
    ...(range !== undefined && { range: { id: '001', ...range } }),
    ...(stepInputs !== undefined && { inputs: stepInputs }),
    activity: {
      signal: options.signal ?? new AbortController().signal,
      log: report.log,
      heartbeat: (progress, kept) => {
        report.heartbeats.push({ progress, checkpoint: kept });
      },
      checkpoint,
      attempt,
      run: { id: 'task/test_task/test', name: 'test_task', kind: 'task', ...options.run },
      // A test gives those that the handler uses.
      services: options.services ?? {},
    },
  });
}
