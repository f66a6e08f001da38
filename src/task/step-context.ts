/* eslint-disable @typescript-eslint/no-unnecessary-type-parameters -- what a name stands for only the caller knows, and says so: getTaskField<string>('order_id') */
import type { Json, JsonObject } from '../definition/json.js';
import { ownMember } from '../definition/json.js';
import type { ActivityContext } from '../pipeline/context.js';
import type { BatchRange, DependencyResult } from './step-outcome.js';

/** How far a worker of a batch is: kept, and given to the next attempt. */
export interface BatchCheckpoint {
  /** Where the next attempt begins: the first item that is not done. */
  readonly cursor: number;
  readonly itemsProcessed?: number;
  /** What was gathered so far. */
  readonly accumulated?: Json;
}

/** The part of a batch that a worker has. */
export interface BatchWork extends BatchRange {
  /** `001`, `002`, … */
  readonly id: string;
  /** The first item that is to be worked on: `start`, or where the attempt before this one has come. */
  readonly cursor: number;
  /** Items that attempts before this one have worked on. */
  readonly itemsProcessed: number;
  /** What attempts before this one have gathered. */
  readonly accumulated?: Json;
  readonly cursorField?: string;
}

/** The task and the step that a handler works for. */
export interface StepIdentity {
  readonly task: { readonly name: string; readonly namespace: string; readonly version: string };
  /** `name` is that of a worker where the step is one of a batch: `load_rows_001` of `load_rows`. */
  readonly step: { readonly name: string; readonly template: string };
}

/** What a handler gets. */
export interface StepContext extends ActivityContext, StepIdentity {
  /** A field of the step's own input: for a worker of a batch its range, else what the task was started with. */
  readonly getInput: <T = Json>(name: string) => T | undefined;
  readonly getInputOr: <T>(name: string, otherwise: T) => T;
  /** A member of what the template says under the handler's `initialization`. */
  readonly getConfig: <T = Json>(name: string) => T | undefined;
  /** A field of what the task was started with. */
  readonly getTaskField: <T = Json>(name: string) => T | undefined;
  /** What a step has returned that this one depends on; undefined where it was left out, or has failed. */
  readonly getDependencyResult: <T = Json>(step: string) => T | undefined;
  /** A member of what a step has returned that this one depends on; further names lead into it. */
  readonly getDependencyField: <T = Json>(
    step: string,
    ...path: readonly string[]
  ) => T | undefined;
  /** Those of the steps that this one depends on whose names begin with a prefix: all workers of a batch, in their order. */
  readonly getAllDependencyResults: (prefix?: string) => readonly DependencyResult[];
  /** Whether there was an attempt before this one. */
  readonly isRetry: () => boolean;
  /** Whether there is none after this one. */
  readonly isLastRetry: () => boolean;
  /**
   * A link by which somebody may answer a step of this task that waits for approval: `POST` `{ "approved": true, "result": … }` to it.
   * Needs `approvals` in the config.
   */
  readonly approvalUrl: (step: string) => Promise<string>;
  /** The worker's part, where the step is a worker of a batch. */
  readonly batch: BatchWork | undefined;
  /** Keeps how far the worker is: the next attempt goes on from there. Sent at most once a second. */
  readonly checkpointYield: (checkpoint: BatchCheckpoint) => void;
}

/** What a context is made of. */
export interface StepContextParts extends StepIdentity {
  readonly activity: ActivityContext;
  readonly fields: JsonObject;
  readonly config: JsonObject;
  readonly dependencies: readonly DependencyResult[];
  readonly maximumAttempts: number;
  readonly range?: BatchRange & { readonly id: string };
  readonly cursorField?: string;
  /** A step's own input, where it is not what the task was started with. */
  readonly inputs?: JsonObject;
  readonly approvalUrl: StepContext['approvalUrl'];
}

/** Makes what a handler gets. Its functions may be taken apart from it. */
export function stepContext(parts: StepContextParts): StepContext {
  const { activity, task, step, fields, config, dependencies, maximumAttempts } = parts;
  const batch = batchWork(parts);
  const inputs = parts.inputs ?? (batch === undefined ? {} : rangeInputs(batch));
  const resultOf = (name: string): Json | undefined =>
    dependencies.find((dependency) => dependency.name === name)?.result;
  const input = (name: string): Json | undefined =>
    ownMember(inputs, name) ?? ownMember(fields, name);
  return {
    task,
    step,
    batch,
    approvalUrl: parts.approvalUrl,
    // What a name stands for is for the caller to know: it was checked against the template's schema, or another step made it.
    getInput: <T>(name: string) => input(name) as T | undefined,
    getInputOr: <T>(name: string, otherwise: T) => (input(name) as T | undefined) ?? otherwise,
    getConfig: <T>(name: string) => ownMember(config, name) as T | undefined,
    getTaskField: <T>(name: string) => ownMember(fields, name) as T | undefined,
    getDependencyResult: <T>(name: string) => resultOf(name) as T | undefined,
    getDependencyField: <T>(name: string, ...path: readonly string[]) =>
      path.reduce<Json | undefined>(memberOf, resultOf(name)) as T | undefined,
    getAllDependencyResults: (prefix = '') =>
      dependencies.filter(({ name }) => name.startsWith(prefix)),
    isRetry: () => activity.attempt > 1,
    isLastRetry: () => activity.attempt >= maximumAttempts,
    checkpointYield: ({ cursor, itemsProcessed, accumulated }) => {
      const done = itemsProcessed ?? (batch === undefined ? cursor : cursor - batch.start);
      const total = batch === undefined ? {} : { total: batch.end - batch.start };
      activity.heartbeat(
        { completed: done, ...total },
        { cursor, itemsProcessed: done, ...(accumulated !== undefined && { accumulated }) },
      );
    },
    // Last: V8 takes much longer for a literal that has functions after a spread.
    ...activity,
  };
}

function batchWork({ range, cursorField, activity }: StepContextParts): BatchWork | undefined {
  if (range === undefined) return undefined;
  const { cursor, itemsProcessed, accumulated } = checkpointOf(activity.checkpoint);
  return {
    ...range,
    cursor: cursor ?? range.start,
    itemsProcessed: itemsProcessed ?? 0,
    ...(accumulated !== undefined && { accumulated }),
    ...(cursorField !== undefined && { cursorField }),
  };
}

/** What `checkpointYield` has kept; a handler may have kept something else with `heartbeat`. */
function checkpointOf(kept: Json | undefined): Partial<BatchCheckpoint> {
  if (typeof kept !== 'object' || kept === null || Array.isArray(kept)) return {};
  const { cursor, itemsProcessed, accumulated } = kept as JsonObject;
  return {
    ...(typeof cursor === 'number' && { cursor }),
    ...(typeof itemsProcessed === 'number' && { itemsProcessed }),
    ...(accumulated !== undefined && { accumulated }),
  };
}

function rangeInputs({ id, start, end }: BatchWork): JsonObject {
  return { batch_id: id, start_cursor: start, end_cursor: end };
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return ownMember(value as JsonObject, name);
}
