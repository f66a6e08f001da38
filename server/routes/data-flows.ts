import type { Context } from 'koa';
import { checkNote } from '../../src/data-flow/change.js';
import type { JsonObject } from '../../src/definition/json.js';
import type { Api } from '../api-options.js';
import {
  flowBody,
  flowDetails,
  flowPath,
  flowRunBody,
  flowRunLinks,
  scheduleBody,
} from '../data-flow-body.js';
import { readInput } from '../middleware/body.js';
import { recordOf } from '../request-record.js';
import { flowsFor, readMembers, type FlowRequest } from './data-flow-request.js';

/** `GET /data_flows`: all flows, by name. */
export async function listFlows({ ctx, api, base }: FlowRequest): Promise<void> {
  const { engine } = api;
  const flows = engine.dataFlowNames.length === 0 ? [] : await (await engine.dataFlows()).list();
  ctx.body = { data_flows: flows.map((flow) => flowBody(flow, base)) };
}

/** `GET /data_flows/:name` */
export async function showFlow(request: FlowRequest): Promise<void> {
  const flows = await flowsFor(request);
  request.ctx.body = flowDetails(await flows.show(request.name), request.base);
}

/** `PATCH /data_flows/:name`: changes what operators may change. What is not named stays. */
export async function changeFlow(request: FlowRequest): Promise<void> {
  const { ctx, api, name, base } = request;
  const flows = await flowsFor(request);
  const change = await readInput(ctx, api.settings.bodyLimitBytes);
  ctx.body = flowDetails(await flows.change(name, change), base);
}

/** `POST /data_flows/:name/run`: starts a run and answers at once. */
export async function runFlow(request: FlowRequest): Promise<void> {
  const { ctx, api, name, base } = request;
  const flows = await flowsFor(request);
  await readMembers(request, []);
  const { principal } = recordOf(ctx);
  const run = await flows.run(name, { ...(principal !== undefined && { principal }) });
  const links = flowRunLinks(run, base, api.engine);
  ctx.status = 202;
  ctx.set('Location', `${flowPath(base, name)}/runs/${String(run.runSeq)}`);
  ctx.body = { run: flowRunBody(run, base, api.engine), links };
}

/** `POST /data_flows/:name/pause`: keeps it from being started by itself. A run that goes on goes on. */
export async function pauseFlow(request: FlowRequest): Promise<void> {
  const flows = await flowsFor(request);
  const note = await readNote(request, 'Paused');
  request.ctx.body = flowDetails(await flows.pause(request.name, note), request.base);
}

/** `POST /data_flows/:name/resume`: has it be started by itself again. */
export async function resumeFlow(request: FlowRequest): Promise<void> {
  const flows = await flowsFor(request);
  const note = await readNote(request, 'Resumed');
  request.ctx.body = flowDetails(await flows.resume(request.name, note), request.base);
}

/** `POST /data_flows/:name/backfill`: has the scheduled times of a range run again. */
export async function backfillFlow(request: FlowRequest): Promise<void> {
  const { ctx, name, base } = request;
  const flows = await flowsFor(request);
  const range = await readMembers(request, ['start', 'end']);
  const { start, end, requestedAt } = await flows.backfill(name, range);
  ctx.status = 202;
  ctx.body = {
    backfill: { start, end, requested_at: requestedAt },
    links: { runs: `${flowPath(base, name)}/runs` },
  };
}

/** `POST /data_flows/:name/reset`: moves the cursor to one that is given, or to the beginning. */
export async function resetFlow(request: FlowRequest): Promise<void> {
  const { ctx, name, base } = request;
  const flows = await flowsFor(request);
  const { cursor = null } = await readMembers(request, ['cursor']);
  ctx.body = flowDetails(await flows.reset(name, cursor), base);
}

/** `GET /data_flows/:name/schedule`: when it is started next. */
export async function showSchedule(request: FlowRequest): Promise<void> {
  const { ctx, name } = request;
  const flows = await flowsFor(request);
  const schedule = await flows.schedule(name);
  ctx.body = scheduleBody(schedule, await flows.show(name));
}

async function readNote(
  request: { readonly ctx: Context; readonly api: Api },
  did: string,
): Promise<string> {
  const { note }: JsonObject = await readMembers(request, ['note']);
  const { principal } = recordOf(request.ctx);
  if (note === undefined || note === null)
    return principal === undefined ? `${did} over HTTP.` : `${did} by ${principal}.`;
  return checkNote(note);
}
