import { RunNotFound } from '../../engine/errors.js';
import type { Execution } from '../../engine/execution.js';
import {
  RecordRunNotFound,
  RecordRunOver,
  RecordStoreAway,
  RecordStoreRefused,
} from '../../engine/record-pipeline/record-store-errors.js';
import type { Run } from '../../engine/run.js';
import { isPlainObject } from '../../src/definition/json.js';
import {
  STORE_QUESTION_FAILURES,
  STORE_QUESTION_LIMITS,
  type KnownRun,
} from '../../src/record-pipeline/store-question.js';
import { isClosed, type ExecutionStatus } from '../../src/progress/status.js';
import {
  failureBody,
  recordRunBody,
  recordRunLinks,
  type ToldRun,
} from '../record-pipeline-body.js';
import { readLimit, readText } from '../query-parameters.js';
import {
  askStore,
  checkRunId,
  pipelineFor,
  RUN_ID,
  type RecordRequest,
} from './record-pipeline-request.js';

const NEXT_BEFORE = 'the next_before of the page before';

/** `GET /record_pipelines/:name/runs`: those that its store knows, newest first, page by page. */
export async function listRecordRuns(request: RecordRequest): Promise<void> {
  const { ctx, api, base } = request;
  const before = readText(ctx, 'before', RUN_ID, NEXT_BEFORE);
  const question = {
    kind: 'runs',
    limit: readLimit(ctx),
    ...(before !== undefined && { before }),
  } as const;
  const { runs, nextBefore } = (await askStore(request, question)).answer;
  ctx.body = {
    runs: runs.map((run) => recordRunBody(run, { base, engine: api.engine })),
    ...(nextBefore !== undefined && { next_before: nextBefore }),
  };
}

/** `GET /record_pipelines/:name/runs/:id`: as its store knows it, and as Temporal does where that one cannot be asked. */
export async function showRecordRun(request: RecordRequest): Promise<void> {
  const { run, execution, problem } = await lookAt(request);
  const { failure, principal } = execution ?? {};
  request.ctx.body = {
    ...recordRunBody(run, { base: request.base, engine: request.api.engine }),
    error: failure === undefined ? null : { type: failure.type, message: failure.message },
    principal: principal ?? null,
    store_error: problem === undefined ? null : { type: problem.name, message: problem.message },
  };
}

/** `GET /record_pipelines/:name/runs/:id/failures`: records that have failed, in the order of the run, page by page. */
export async function listRecordFailures(request: RecordRequest): Promise<void> {
  const { ctx, id } = request;
  checkRunId(request);
  const after = readText(ctx, 'after', /^[\w-]{1,2000}$/, 'the next_after of the page before');
  const question = {
    kind: 'run',
    run: id,
    limit: readLimit(ctx),
    ...(after !== undefined && { after }),
  } as const;
  const { failures, nextAfter } = (await askStore(request, question)).answer;
  ctx.body = {
    failures: failures.map(failureBody),
    ...(nextAfter !== undefined && { next_after: nextAfter }),
  };
}

/** `POST /record_pipelines/:name/runs/:id/cancel`: asks a run to end. Bodies in progress are told, so that it ends a little later. */
export async function cancelRecordRun(request: RecordRequest): Promise<void> {
  const { ctx, api, id, base } = request;
  const { run, execution } = await lookAt(request);
  if (execution === undefined || isClosed(execution.status))
    throw new RecordRunOver(id, run.status);
  try {
    await temporalRun(request).cancel();
  } catch (error) {
    // Temporal no longer finds a run that ended since.
    if (!(error instanceof RunNotFound)) throw error;
    throw new RecordRunOver(id, (await lookAt(request)).run.status);
  }
  const place = { base, engine: api.engine };
  ctx.status = 202;
  ctx.body = { run: recordRunBody(run, place), links: recordRunLinks(run, place) };
}

/** A run, and who could not say anything of it. */
interface Look {
  readonly run: ToldRun;
  /** Undefined where Temporal knows it no longer. */
  readonly execution: Execution | undefined;
  /** Why the store was not asked. */
  readonly problem: Error | undefined;
}

/** Temporal is asked first: a run that is over there, and goes on in the store, was ended from outside. */
async function lookAt(request: RecordRequest): Promise<Look> {
  pipelineFor(request);
  const execution = await executionOf(request);
  const { known, problem } = await knownRun(request);
  if (known !== undefined) {
    const isCut = known.endedAt === null && execution !== undefined && isClosed(execution.status);
    const run: ToldRun = isCut ? { ...known, status: 'interrupted' } : known;
    return { run, execution, problem };
  }
  if (execution !== undefined) {
    const run = toldByTemporal(
      request,
      execution,
      problem === undefined ? 'pending' : 'in_progress',
    );
    return { run, execution, problem };
  }
  throw problem ?? new RecordRunNotFound(request.name, request.id);
}

async function knownRun(
  request: RecordRequest,
): Promise<{ readonly known?: KnownRun; readonly problem?: Error }> {
  const question = { kind: 'run', run: request.id, limit: 0 } as const;
  const { glanceMs: waitMs } = STORE_QUESTION_LIMITS;
  try {
    return { known: (await askStore(request, question, { waitMs })).answer.run };
  } catch (error) {
    if (error instanceof RecordStoreAway) return { problem: error };
    if (!(error instanceof RecordStoreRefused)) throw error;
    const isUnknown = error.failure.type === STORE_QUESTION_FAILURES.runNotFound;
    return isUnknown ? {} : { problem: error };
  }
}

async function executionOf(request: RecordRequest): Promise<Execution | undefined> {
  checkRunId(request);
  pipelineFor(request);
  try {
    return await temporalRun(request).describe();
  } catch (error) {
    if (error instanceof RunNotFound) return undefined;
    throw error;
  }
}

function temporalRun({ api, name, id }: RecordRequest): Run {
  return api.engine.runWithId({ kind: 'record_pipeline', name, executionId: id });
}

/** A run that its store does not know yet, or that cannot be asked. */
function toldByTemporal(
  { name, id }: RecordRequest,
  execution: Execution,
  running: ToldRun['status'],
): ToldRun {
  const { status, startedAt, completedAt, result } = execution;
  const counts = isPlainObject(result) ? result : {};
  return {
    id,
    pipeline: name,
    status: statusOf(status, running),
    startedAt: startedAt.toISOString(),
    seenAt: null,
    endedAt: completedAt?.toISOString() ?? null,
    completed: countOf(counts['completed']),
    failed: countOf(counts['failed']),
  };
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

/** What Temporal's status means to a store. Of a run that goes on it does not say whether it has its store. */
function statusOf(status: ExecutionStatus, running: ToldRun['status']): ToldRun['status'] {
  switch (status) {
    case 'pending':
      return 'pending';
    case 'running':
      return running;
    case 'completed':
      return 'success';
    case 'failed':
    case 'timed_out':
      return 'failed';
    case 'cancelled':
      return 'cancelled';
    case 'terminated':
      return 'interrupted';
  }
}
