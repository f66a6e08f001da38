import { DEFINITION, type Branded } from '../definition/brand.js';
import { callerSite } from '../definition/call-site.js';
import type { Duration } from '../definition/duration.js';
import type { Site } from '../definition/problem.js';
import type { Log, RunReference, Services } from '../pipeline/context.js';
import type { Shell } from './shell.js';

/** How many records are worked on at once. */
export type Processor =
  | { readonly kind: 'sync' }
  | { readonly kind: 'async'; readonly concurrency?: number; readonly enqueueSeconds?: number };

/** One record after the other. */
export function sync(): Processor {
  return { kind: 'sync' };
}

/**
 * Several records at once.
 *
 * @param options.concurrency - at most so many; 5 unless set
 * @param options.enqueueSeconds - how long it waits before it looks for new records while others are worked on; 0.1 unless set
 */
export function async(
  options: { readonly concurrency?: number; readonly enqueueSeconds?: number } = {},
): Processor {
  return { kind: 'async', ...options };
}

/** What `prepare` gets. */
export interface RunContext<S> {
  /** The store: what is read from it has the body's own changes. */
  readonly store: S;
  /** Runs commands. They end with the run. */
  readonly shell: Shell;
  /** @throws {@link AssertionFailure} unless the condition holds: the record has failed then */
  readonly assert: (condition: unknown, message?: string) => void;
  /** Aborted when the run is cancelled, the body takes too long or the worker stops. */
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly run: RunReference;
  readonly services: Services;
}

/** What a step's body gets. */
export interface StepContext<S, T> extends RunContext<S> {
  /** The record. Its changes, and all others that the body makes, are written when the body ends, and none when it throws. */
  readonly record: T;
}

/** Records of a store that fulfil conditions, as far as a step needs to know. */
export interface StepQuery<T> {
  all(): readonly T[];
}

/** What {@link step} takes. */
export interface StepDefinition<S, T> {
  /** What everybody calls it. */
  readonly label: string;
  /** The records that it works on: it ends when there are none left. Asked for again whenever it looks. */
  readonly records: (store: S) => StepQuery<T>;
  /** What is done to each. A record that it leaves among those of the query is worked on again. */
  readonly each: (context: StepContext<S, T>) => void | Promise<void>;
  /** How often a record is worked on at most in one run; 10 unless set. */
  readonly maxPasses?: number;
  /** Longest time of one body; `10m` unless set. */
  readonly timeout?: Duration;
}

/** A step with the types of its records erased. Made by {@link step}. */
export interface Step<S> {
  readonly label: string;
  readonly maxPasses?: number;
  readonly timeout?: Duration;
  readonly records: (store: S) => StepQuery<unknown>;
  readonly each: (context: StepContext<S, never>) => void | Promise<void>;
}

/**
 * A step of a record pipeline: what is done to each record of a query, until there is none left.
 *
 * @example
 * ```ts
 * step({
 *   label: 'send mail',
 *   records: (store) => store.user.where({ mailed: false }),
 *   each: async ({ record, services }) => {
 *     await services.mail.send(record.email);
 *     record.update({ mailed: true });
 *   },
 * });
 * ```
 */
export function step<S, T>(definition: StepDefinition<S, T>): Step<S> {
  return definition;
}

/** What hooks are told about a record. */
export interface StepProgress {
  /** The record. */
  readonly value: unknown;
  /** Records of the step that are left, without this one and those that are being worked on. */
  readonly queueSize: number;
  readonly label: string;
}

/** What timers are told. */
export interface RunStats {
  /** Records of the current step that are left. */
  readonly queueSize: number;
  /** Records that were worked on in this run. */
  readonly completed: number;
  /** Seconds since the run began. */
  readonly time: number;
}

/** Something that is done again and again while a run goes on. Made by {@link every}. */
export interface RunTimer {
  readonly seconds: number;
  readonly act: (stats: RunStats) => void | Promise<void>;
}

/** Does something every so many seconds while a run goes on. It holds up no record; its errors are logged. */
export function every(seconds: number, act: RunTimer['act']): RunTimer {
  return { seconds, act };
}

/** What {@link defineRecordPipeline} takes beside the store. */
export interface RecordPipelineDefinition<S> {
  /** What everybody calls it; also the workflow type of its runs. */
  readonly name: string;
  readonly description?: string;
  /** `sync()` unless set. */
  readonly processor?: Processor;
  /**
   * Done when a run begins, before the first step: it puts records into the store that are to be worked on. Its changes are written
   * when it ends, all or none. It comes with every run, and again when its worker was lost, so it adds what is not there yet.
   */
  readonly prepare?: (context: RunContext<S>) => void | Promise<void>;
  /** In order; after the last one all are looked at again from the first, until none has records left. */
  readonly steps: readonly Step<S>[];
  /** Called before each record. What it throws fails the record. */
  readonly beforeProcess?: (progress: StepProgress) => void | Promise<void>;
  /** Called when a record's body has ended. Its errors are logged. */
  readonly onProgress?: (progress: StepProgress) => void | Promise<void>;
  readonly timers?: readonly RunTimer[];
  /** What the first error does: `stop` (unless set) takes no more records; `continue` goes on with the others. */
  readonly onError?: 'stop' | 'continue';
  /** Most records that may fail with `continue`; with one more the run stops. 100 unless set. */
  readonly maxErrors?: number;
  /** Longest time of a run; `7 days` unless set. */
  readonly timeout?: Duration;
}

/** A record pipeline. Made by {@link defineRecordPipeline}. */
export interface RecordPipeline<S = unknown> extends Branded<'record_pipeline'> {
  readonly name: string;
  readonly store: S;
  readonly site?: Site;
  /** As a person wrote it. Looked into when it is compiled. */
  readonly written: RecordPipelineDefinition<never>;
}

/**
 * Defines a record pipeline: steps that drain the records of a store, one after the other.
 *
 * @example
 * ```ts
 * export const onboarding = defineRecordPipeline(store, {
 *   name: 'onboarding',
 *   processor: async({ concurrency: 10 }),
 *   steps: [
 *     step({
 *       label: 'send mail',
 *       records: (s) => s.user.where({ mailed: false }),
 *       each: async ({ record, services }) => {
 *         await services.mail.send(record.email);
 *         record.update({ mailed: true });
 *       },
 *     }),
 *   ],
 * });
 * ```
 */
export function defineRecordPipeline<S>(
  store: S,
  definition: RecordPipelineDefinition<S>,
): RecordPipeline<S> {
  const site = callerSite();
  return {
    [DEFINITION]: 'record_pipeline',
    name: definition.name,
    store,
    written: definition,
    ...(site !== undefined && { site }),
  };
}

/** What a step's `assert` throws. */
export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure';
  constructor(message = 'An assertion does not hold.') {
    super(message);
  }
}
