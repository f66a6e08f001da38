import {
  RecordStoreAway,
  RecordStoreRefused,
  RecordStoreSlow,
} from '../../engine/record-pipeline/record-store-errors.js';
import { storeClaim, type StoreClaim } from '../../engine/record-pipeline/record-store-claim.js';
import { ContractViolation, type PropertyViolation } from '../../src/contract/violation.js';
import { isPlainObject, type Json, type JsonObject } from '../../src/definition/json.js';
import { STORE_QUESTION_LIMITS } from '../../src/record-pipeline/store-question.js';
import {
  awayBody,
  recordPipelineBody,
  recordPipelinePath,
  recordRunBody,
  recordRunLinks,
  storeBody,
} from '../record-pipeline-body.js';
import { recordOf } from '../request-record.js';
import { readMembers } from './data-flow-request.js';
import { askStore, pipelineFor, type RecordRequest } from './record-pipeline-request.js';

/** Longest wait until a run that was asked for has its store. */
const CLAIM_WAIT_MS = 3_000;

/** `GET /record_pipelines`: all of them, by name. */
export async function listRecordPipelines({ ctx, api, base }: RecordRequest): Promise<void> {
  const { recordPipelines } = api.engine;
  ctx.body = {
    record_pipelines: [...recordPipelines.names].sort().flatMap((name) => {
      const pipeline = recordPipelines.find(name);
      return pipeline === undefined ? [] : [recordPipelineBody(pipeline, base)];
    }),
  };
}

/** `GET /record_pipelines/:name`: what it is, and what is in its store where that can be reached soon. */
export async function showRecordPipeline(request: RecordRequest): Promise<void> {
  const pipeline = pipelineFor(request);
  request.ctx.body = {
    ...recordPipelineBody(pipeline, request.base),
    store: await storeNow(request),
  };
}

async function storeNow(request: RecordRequest): Promise<JsonObject> {
  const { glanceMs } = STORE_QUESTION_LIMITS;
  try {
    const { store, answer } = await askStore(request, { kind: 'status' }, { waitMs: glanceMs });
    return storeBody(store, answer, { base: request.base, engine: request.api.engine });
  } catch (error) {
    if (error instanceof RecordStoreAway) return awayBody({ ...told(error) }, error.store);
    if (error instanceof RecordStoreSlow) return awayBody(told(error), undefined);
    if (error instanceof RecordStoreRefused) return awayBody(error.failure, undefined);
    throw error;
  }
}

function told({ name, message }: Error): { readonly type: string; readonly message: string } {
  return { type: name, message };
}

/**
 * `POST /record_pipelines/:name/run`: starts a run. While another one works on the store, that is refused, or the run waits for
 * its end, as asked.
 */
export async function runRecordPipeline(request: RecordRequest): Promise<void> {
  const { ctx, api, name, base } = request;
  pipelineFor(request);
  const { queue, retryFailed } = await readRunOptions(request);
  const { principal } = recordOf(ctx);
  const { id, workflowId } = await api.engine.recordPipelines.run(name, {
    ...(queue !== undefined && { queue }),
    ...(retryFailed !== undefined && { retryFailed }),
    ...(principal !== undefined && { principal }),
  });
  const startedAt = new Date().toISOString();
  const claim: StoreClaim =
    queue === true
      ? { kind: 'waiting' }
      : await storeClaim(api.engine.temporal.client, workflowId, {
          waitMs: CLAIM_WAIT_MS,
          signal: api.stop,
        });
  // Whatever else it has failed of is told where the run is.
  if (claim.kind === 'failed' && claim.failure.type === 'StoreBusy')
    throw new RecordStoreRefused(name, claim.failure);
  const run = {
    id,
    pipeline: name,
    status: claim.kind === 'claimed' ? ('in_progress' as const) : ('pending' as const),
    startedAt,
    seenAt: null,
    endedAt: null,
    completed: null,
    failed: null,
  };
  const place = { base, engine: api.engine };
  ctx.status = 202;
  ctx.set('Location', `${recordPipelinePath(base, name)}/runs/${id}`);
  ctx.body = { run: recordRunBody(run, place), links: recordRunLinks(run, place) };
}

async function readRunOptions(
  request: RecordRequest,
): Promise<{ readonly queue?: boolean | undefined; readonly retryFailed?: boolean | undefined }> {
  const body = await readMembers(request, ['queue', 'retry_failed']);
  const violations: PropertyViolation[] = [];
  const flag = (name: string): boolean | undefined => {
    const value = body[name];
    if (value === undefined || typeof value === 'boolean') return value;
    const got = typeNameOf(value);
    const message = `Property '${name}' expected boolean, got ${got}`;
    violations.push({ path: name, expected: 'boolean', got, message });
    return undefined;
  };
  const options = { queue: flag('queue'), retryFailed: flag('retry_failed') };
  if (violations.length > 0) throw new ContractViolation(violations);
  return options;
}

function typeNameOf(value: Json): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : isPlainObject(value) ? 'object' : typeof value;
}
