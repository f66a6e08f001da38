import { FLOW_RUN_STATUSES } from '../../src/data-flow/catalog.js';
import { flowRunBody, flowRunDetails, flowRunLinks, rejectionBody } from '../data-flow-body.js';
import { readLimit, readNumber, readOneOf } from '../query-parameters.js';
import { flowsFor, type FlowRequest } from './data-flow-request.js';

/** `GET /data_flows/:name/runs`: newest first, by status, page by page. */
export async function listFlowRuns(request: FlowRequest): Promise<void> {
  const { ctx, api, name, base } = request;
  const limit = readLimit(ctx);
  const status = readOneOf(ctx, 'status', FLOW_RUN_STATUSES);
  const before = readNumber(ctx, 'before', 'the next_before of the page before');
  const flows = await flowsFor(request);
  // One more tells whether there is another page.
  const found = await flows.runs(name, {
    limit: limit + 1,
    ...(status !== undefined && { status }),
    ...(before !== undefined && { before }),
  });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  ctx.body = {
    runs: page.map((run) => flowRunBody(run, base, api.engine)),
    ...(found.length > limit && last !== undefined && { next_before: last.runSeq }),
  };
}

/** `GET /data_flows/:name/runs/:id`, by the run's id or its number. */
export async function showFlowRun(request: FlowRequest): Promise<void> {
  const { ctx, api, name, id, base } = request;
  const flows = await flowsFor(request);
  ctx.body = flowRunDetails(await flows.findRun(name, id), base, api.engine);
}

/** `GET /data_flows/:name/runs/:id/rejections`: rows that were refused, in the order of the run, page by page. */
export async function listRejections(request: FlowRequest): Promise<void> {
  const { ctx, name, id } = request;
  const limit = readLimit(ctx);
  const after = readNumber(ctx, 'after', 'the next_after of the page before');
  const flows = await flowsFor(request);
  const run = await flows.findRun(name, id);
  const found = await flows.rejections(run, {
    limit: limit + 1,
    ...(after !== undefined && { after }),
  });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  ctx.body = {
    rejections: page.map(rejectionBody),
    ...(found.length > limit && last !== undefined && { next_after: last.rowNumber }),
  };
}

/** `POST /data_flows/:name/runs/:id/cancel`: asks a run to end. What it is doing is aborted, so that it ends a little later. */
export async function cancelFlowRun(request: FlowRequest): Promise<void> {
  const { ctx, api, name, id, base } = request;
  const flows = await flowsFor(request);
  const run = await flows.cancel(name, id);
  ctx.status = 202;
  ctx.body = {
    run: flowRunBody(run, base, api.engine),
    links: flowRunLinks(run, base, api.engine),
  };
}
