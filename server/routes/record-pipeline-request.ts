import type { Context } from 'koa';
import type { Answered, AskOptions } from '../../engine/record-pipeline/record-store-questions.js';
import {
  RecordPipelineNotFound,
  RecordRunNotFound,
} from '../../engine/record-pipeline/record-store-errors.js';
import type { CompiledRecordPipeline } from '../../src/record-pipeline/compile.js';
import type { StoreQuestion } from '../../src/record-pipeline/store-question.js';
import type { Api } from '../api-options.js';
import { HttpProblem } from '../http-problem.js';
import { recordOf } from '../request-record.js';

/** A request for a record pipeline, as its routes pass it on. */
export interface RecordRequest {
  readonly ctx: Context;
  readonly api: Api;
  /** Of the pipeline. */
  readonly name: string;
  /** Of the run; empty where the route has none, as the others. */
  readonly id: string;
  readonly version: string;
  /** Of the record type. */
  readonly record: string;
  /** Path of all record pipelines, as the client sees it: `/record_pipelines`. */
  readonly base: string;
}

/** What ids of runs look like: ULIDs. */
export const RUN_ID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** What ids of versions look like: a time, as file systems take it. */
export const VERSION_ID = /^[\w.-]{1,100}$/;

/** The pipeline that a request is for. @throws {@link RecordPipelineNotFound} */
export function pipelineFor({
  api: { engine },
  name,
}: Pick<RecordRequest, 'api' | 'name'>): CompiledRecordPipeline {
  const pipeline = engine.recordPipelines.find(name);
  if (pipeline === undefined) throw new RecordPipelineNotFound(name, engine.recordPipelines.names);
  return pipeline;
}

/**
 * Makes sure that the id of a request can be that of a run. Others Temporal would refuse in words of its own.
 *
 * @throws {@link RecordRunNotFound}
 */
export function checkRunId({ name, id }: Pick<RecordRequest, 'name' | 'id'>): void {
  if (!RUN_ID.test(id)) throw new RecordRunNotFound(name, id);
}

/**
 * Asks the store of the request's pipeline, wherever it is.
 *
 * @throws what {@link RecordStoreQuestions.ask} throws, and {@link HttpProblem} 503 when the server stops meanwhile
 */
export async function askStore<const Q extends StoreQuestion>(
  request: RecordRequest,
  question: Q,
  options: Pick<AskOptions, 'waitMs' | 'answerMs'> = {},
): Promise<Answered<Q>> {
  const { ctx, api, name } = request;
  pipelineFor(request);
  const { principal } = recordOf(ctx);
  try {
    return await api.engine.recordStores.ask(name, question, {
      ...options,
      principal,
      signal: api.stop,
    });
  } catch (error) {
    if (!api.stop.aborted) throw error;
    throw new HttpProblem(503, 'unavailable', 'The server is stopping.', { cause: error });
  }
}
