import { WorkflowFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { ulid } from 'ulid';
import type { Failure } from '../../src/pipeline/failure.js';
import type { StorePlace } from '../../src/record-pipeline/plan.js';
import {
  isCopying,
  STORE_QUESTION_FAILURES,
  STORE_QUESTION_LIMITS,
  STORE_QUESTION_WORKFLOW,
  type StoreAnswer,
  type StoreQuestion,
  type StoreQuestionArguments,
  type StoreReply,
} from '../../src/record-pipeline/store-question.js';
import { runFailed } from '../run-result.js';
import type { RunResults } from '../run-results.js';
import { requestTemporal } from '../temporal-request.js';
import {
  RecordStoreAway,
  RecordStoreRefused,
  RecordStoreSlow,
  TooManyStoreQuestions,
} from './record-store-errors.js';

/** What {@link RecordStoreQuestions} needs. */
export interface RecordStoreQuestionsOptions {
  readonly client: Client;
  readonly taskQueue: string;
  readonly results: RunResults;
}

/** How a store is asked. */
export interface AskOptions {
  /** Longest wait for a worker that has the store; ten seconds unless set. */
  readonly waitMs?: number;
  /** Longest wait for the answer; as long as it may take unless set. */
  readonly answerMs?: number;
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Who asks: recorded with the workflow that does. */
  readonly principal?: string | undefined;
}

/** An answer, and where it comes from. */
export interface Answered<Q extends StoreQuestion> {
  readonly store: StorePlace;
  readonly answer: StoreAnswer<Q>;
}

/** What a workflow takes beyond its activities: to be started, taken, and ended. */
const MARGIN_MS = 5_000;

/**
 * Asks the stores of record pipelines, which may be on other machines: by a short workflow, whose question only workers take that
 * have the store.
 */
export class RecordStoreQuestions {
  #open = 0;
  /** Where stores were last. As many as there are pipelines. */
  readonly #places = new Map<string, StorePlace>();

  constructor(private readonly options: RecordStoreQuestionsOptions) {}

  /**
   * @throws {@link RecordStoreAway}, {@link RecordStoreRefused} with what the store says, {@link RecordStoreSlow},
   *   {@link TooManyStoreQuestions}, {@link TemporalUnavailable}, and the signal's reason
   */
  async ask<const Q extends StoreQuestion>(
    pipeline: string,
    question: Q,
    options: AskOptions = {},
  ): Promise<Answered<Q>> {
    const { open } = STORE_QUESTION_LIMITS;
    if (this.#open >= open) throw new TooManyStoreQuestions(open);
    this.#open += 1;
    try {
      const reply = await this.#ask(pipeline, question, options);
      if (reply.store !== undefined) this.#places.set(pipeline, reply.store);
      if ('refused' in reply) throw this.#refused(pipeline, reply.refused);
      // The worker answers what it was asked.
      return { store: reply.store, answer: reply.answer as StoreAnswer<Q> };
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
      throw this.#refused(pipeline, runFailed(STORE_QUESTION_WORKFLOW, error).failure);
    } finally {
      this.#open -= 1;
    }
  }

  async #ask(pipeline: string, question: StoreQuestion, options: AskOptions): Promise<StoreReply> {
    const { waitMs = STORE_QUESTION_LIMITS.waitMs, signal, principal } = options;
    const { copyMs, readMs } = STORE_QUESTION_LIMITS;
    const longestMs = waitMs + (isCopying(question) ? copyMs : readMs) + 2 * MARGIN_MS;
    const { answerMs = longestMs } = options;
    const handle = await this.#start({ pipeline, question, waitMs }, longestMs, principal);
    const takenMs = Math.min(answerMs, waitMs);
    const early = await this.#reply(handle, takenMs, signal);
    if (early !== undefined) return early;
    if (!(await this.#isTaken(handle))) throw await this.#untaken(handle, pipeline, waitMs);
    const late = await this.#reply(handle, answerMs - takenMs, signal);
    if (late !== undefined) return late;
    throw new RecordStoreSlow(pipeline, answerMs);
  }

  async #start(
    argument: StoreQuestionArguments,
    longestMs: number,
    principal: string | undefined,
  ): Promise<WorkflowHandle> {
    const { client, taskQueue } = this.options;
    const { pipeline, question } = argument;
    return requestTemporal(client, () =>
      client.workflow.start(STORE_QUESTION_WORKFLOW, {
        workflowId: `record_store/${pipeline}/${ulid()}`,
        taskQueue,
        args: [argument],
        workflowExecutionTimeout: longestMs,
        staticSummary: `${question.kind} of the store of ${pipeline}`,
        ...(principal !== undefined && { memo: { principal } }),
      }),
    );
  }

  /** What the workflow has returned; undefined when it has not in time. */
  async #reply(
    handle: WorkflowHandle,
    ms: number,
    signal: AbortSignal | undefined,
  ): Promise<StoreReply | undefined> {
    const enough = new AbortController();
    const timer = setTimeout(
      () => {
        enough.abort(WAITED_ENOUGH);
      },
      Math.max(0, ms),
    );
    const onAbort = (): void => {
      enough.abort(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    try {
      return (await this.options.results.of(handle, enough.signal)) as StoreReply;
    } catch (error) {
      if (error === WAITED_ENOUGH) return undefined;
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Whether any worker has begun with the workflow. */
  async #isTaken(handle: WorkflowHandle): Promise<boolean> {
    const { historyLength } = await requestTemporal(this.options.client, () => handle.describe());
    return historyLength > UNTAKEN_EVENTS;
  }

  /** What nobody has taken by now is not to be done behind everybody's back later. */
  async #untaken(
    handle: WorkflowHandle,
    pipeline: string,
    waitMs: number,
  ): Promise<RecordStoreAway> {
    await requestTemporal(this.options.client, () => handle.terminate('nobody has taken it'));
    const store = this.#places.get(pipeline);
    const last = store === undefined ? '' : ` ${store.id}, which was on ${store.host} last,`;
    const message = `No worker has taken a question to the store${last} of "${pipeline}" within ${String(Math.round(waitMs / 1_000))} s. Start one (millrace worker, millrace dev)${store === undefined ? '' : ' there'}.`;
    return new RecordStoreAway(pipeline, message, store);
  }

  #refused(pipeline: string, failure: Failure): Error {
    return failure.type === STORE_QUESTION_FAILURES.away
      ? new RecordStoreAway(pipeline, failure.message, this.#places.get(pipeline))
      : new RecordStoreRefused(pipeline, failure);
  }
}

const WAITED_ENOUGH = new Error('waited long enough');

/** That it was started, and that somebody is to take it. */
const UNTAKEN_EVENTS = 2;
