import type { Context } from 'koa';
import { RunNotFound } from '../../engine/errors.js';
import type { ListRequest } from '../../engine/execution-list.js';
import type { Run } from '../../engine/run.js';
import { EXECUTION_STATUSES, isClosed, type ExecutionStatus } from '../../src/progress/status.js';
import type { Api } from '../api-options.js';
import { executionBody, summaryBody } from '../execution-body.js';
import { HttpProblem } from '../http-problem.js';
import { authorizedExecution, maySee } from '../middleware/authorization.js';
import { exposedDefinition } from '../middleware/exposure.js';
import { readLimit, readOneOf } from '../query-parameters.js';
import { pathAbove, queryValue } from '../request-path.js';
import { recordOf } from '../request-record.js';
import { linksOf, type Mounted } from './mount.js';

/** Longest execution id that is looked for: workflow ids hold 1,000 characters, their names 200. */
const MAX_EXECUTION_ID = 500;

/** Longest page token that is looked at, in characters. */
const MAX_PAGE_TOKEN = 4_000;

/**
 * A run of an exposed pipeline. Whether it exists is asked by what is done with it.
 *
 * @throws {@link DefinitionNotFound} and {@link RunNotFound} (404), {@link HttpProblem} (403)
 */
export function exposedRun(ctx: Context, api: Api, name: string, executionId: string): Run {
  exposedDefinition(api, name);
  // Of other ids Temporal says that they are wrong, and of ours with a slash that they are another pipeline's.
  if (executionId.length > MAX_EXECUTION_ID || !/^[\x21-\x2e\x30-\x7e]+$/.test(executionId)) {
    throw new RunNotFound(name, executionId);
  }
  recordOf(ctx).executionId = executionId;
  return api.engine.run(name, executionId);
}

/** `GET …/executions/:id`: where a run is. */
export async function showExecution(
  ctx: Context,
  api: Api,
  target: { readonly name: string; readonly executionId: string },
  mounted: Mounted,
): Promise<void> {
  const run = exposedRun(ctx, api, target.name, target.executionId);
  const execution = await authorizedExecution(ctx, api, run);
  const links = linksOf(pathAbove(ctx, 2), execution.executionId, mounted);
  ctx.set('Cache-Control', 'no-store');
  ctx.body = executionBody(execution, links, api.engine);
}

/** `POST …/executions/:id/cancel`: asks a run to end. What it is doing is aborted, so that it ends a little later. */
export async function cancelExecution(
  ctx: Context,
  api: Api,
  target: { readonly name: string; readonly executionId: string },
  mounted: Mounted,
): Promise<void> {
  const run = exposedRun(ctx, api, target.name, target.executionId);
  const { status } = await authorizedExecution(ctx, api, run);
  if (isClosed(status)) throw closed(status);
  try {
    await run.cancel();
  } catch (error) {
    // Temporal no longer finds a run that ended since.
    if (!(error instanceof RunNotFound)) throw error;
    throw closed((await run.describe()).status);
  }
  ctx.status = 202;
  ctx.body = {
    execution_id: run.executionId,
    status,
    ...linksOf(pathAbove(ctx, 3), run.executionId, mounted),
  };
}

function closed(status: ExecutionStatus): HttpProblem {
  const message = `Execution is already over: ${status}`;
  return new HttpProblem(409, 'execution_closed', message, { fields: { status } });
}

/** `GET …/executions`: runs of a pipeline, newest first, by status and time of start, page by page. */
export async function listExecutions(
  ctx: Context,
  api: Api,
  name: string,
  mounted: Mounted,
  only: Pick<ListRequest, 'deadLetters'> = {},
): Promise<void> {
  const { kind } = exposedDefinition(api, name);
  const status = readOneOf(ctx, 'status', EXECUTION_STATUSES);
  const startedAfter = readTime(ctx, 'started_after');
  const startedBefore = readTime(ctx, 'started_before');
  const pageToken = readPageToken(ctx);
  const page = await api.engine.list({
    ...only,
    kind,
    name,
    limit: readLimit(ctx),
    ...(status !== undefined && { status }),
    ...(startedAfter !== undefined && { startedAfter }),
    ...(startedBefore !== undefined && { startedBefore }),
    ...(pageToken !== undefined && { pageToken }),
  });
  // What may be seen is only known when a page is there, which is then shorter; the next page's token stays.
  const visible = await Promise.all(page.executions.map((summary) => maySee(ctx, api, summary)));
  const base = pathAbove(ctx, 1);
  ctx.set('Cache-Control', 'no-store');
  ctx.body = {
    executions: page.executions
      .filter((_summary, at) => visible[at] === true)
      .map((summary) => summaryBody(summary, linksOf(base, summary.executionId, mounted))),
    ...(page.nextPageToken !== undefined && { next_page_token: page.nextPageToken }),
  };
}

function readTime(ctx: Context, name: string): Date | undefined {
  const asked = queryValue(ctx, name);
  if (asked === undefined) return undefined;
  // A "+" that was not encoded arrives as a space.
  const time = /^\d{4}-\d{2}-\d{2}/.test(asked) ? new Date(asked.replace(' ', '+')) : undefined;
  if (time === undefined || Number.isNaN(time.getTime()))
    throw invalid(name, 'a time such as 2026-01-31T12:00:00Z');
  return time;
}

function readPageToken(ctx: Context): string | undefined {
  const token = queryValue(ctx, 'page_token');
  if (token === undefined) return undefined;
  if (token.length > MAX_PAGE_TOKEN || !/^[\w-]+$/.test(token)) {
    throw invalid('page_token', 'the next_page_token of the page before');
  }
  return token;
}

function invalid(parameter: string, expected: string): HttpProblem {
  return new HttpProblem(400, 'invalid_request', `${parameter} must be ${expected}.`);
}
