import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { openEvents } from '../support/event-client.js';
import { useFlowStack } from '../support/flow-stack.js';
import { claimRun, gatedFlow, runToEnd } from '../support/flows.js';
import { post, send, useServers } from '../support/http-api.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const start = useFlowStack(temporal);
const serve = useServers();

describe('GET /data_flows/:name/runs/:id/events', () => {
  it('tells of batches and rows while they move, and ends with the run', async () => {
    const { flow, open } = gatedFlow();
    const stack = await start({ flows: [flow] });
    const { url } = await serve(stack.engine);
    await post(`${url}/data_flows/${flow.name}/run`);
    const events = await openEvents(`${url}/data_flows/${flow.name}/runs/1/events`);
    expect(events.response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const hint = await events.until(({ event }) => event === 'flow_progress');
    expect(hint).toMatchObject({ id: undefined, data: { batches: 1, rows_read: 200 } });
    expect(hint.data).toHaveProperty('rows_per_second');
    open();
    await events.ended;
    expect(events.events[0]).toMatchObject({
      event: 'flow_started',
      data: { flow: flow.name, run_seq: 1 },
    });
    expect(events.events.at(-1)).toMatchObject({
      event: 'complete',
      data: { result: { run_seq: 1, rows_read: 600, rows_written: 600, rows_rejected: 0 } },
    });
  });

  it('goes on after Last-Event-ID, on another server, and says with 204 that there is no more', async () => {
    const { flow, open } = gatedFlow();
    const stack = await start({ flows: [flow] });
    const other = await start({ flows: [flow], beside: stack });
    const [first, second] = [await serve(stack.engine), await serve(other.engine)];
    open();
    await runToEnd(stack.flows, flow.name);
    const path = `/data_flows/${flow.name}/runs/1/events`;
    const all = await openEvents(`${first.url}${path}`);
    await all.ended;
    const ids = all.events.map(({ id }) => id);
    const resumed = await openEvents(`${second.url}${path}`, {
      headers: { 'Last-Event-ID': ids[0]! },
    });
    await resumed.ended;
    expect(resumed.events.map(({ id }) => id)).toEqual(ids.slice(1));
    const last = { headers: { 'Last-Event-ID': ids.at(-1)! } };
    expect((await fetch(`${second.url}${path}`, last)).status).toBe(204);
    expect((await send(`${second.url}${path}?last_event_id=nonsense`)).status).toBe(400);
  });

  it('waits for the workflow of a run that is claimed, and tells all of it', async () => {
    const { flow, open } = gatedFlow();
    open();
    const { engine, flows, project } = await start({ flows: [flow] });
    const { url } = await serve(engine);
    await flows.list();
    const run = await claimRun(flows, flow.name);
    const events = await openEvents(`${url}/data_flows/${flow.name}/runs/1/events`);
    await delay(600);
    expect(events.events).toEqual([]);
    await flows.starter.start(project.registry.dataFlows.get(flow.name)!, run);
    await events.ended;
    expect(events.events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['flow_started', 'complete']),
    );
  });

  it('tells the end alone of runs that Temporal does not keep any more', async () => {
    const { flow } = gatedFlow();
    const { engine, flows } = await start({ flows: [flow], worker: false });
    const { url } = await serve(engine);
    await flows.list();
    const ends = [
      { status: 'success' },
      { status: 'failed', errorMessage: 'the disk is full' },
      { status: 'cancelled', errorMessage: 'The run was cancelled.' },
    ] as const;
    for (const ending of ends) {
      const run = await claimRun(flows, flow.name);
      await flows.catalog.end(run, { ...ending, now: new Date() });
    }
    const toldOf = async (seq: number, headers = {}) => {
      const stream = await openEvents(`${url}/data_flows/${flow.name}/runs/${String(seq)}/events`, {
        headers,
      });
      await stream.ended;
      return [stream.response.status, stream.events.map(({ event, data }) => [event, data])];
    };
    const rows = { rows_read: 0, rows_written: 0, rows_rejected: 0 };
    const error = { type: 'execution_error', message: 'the disk is full', code: 'execution_error' };
    expect(await toldOf(1)).toEqual([200, [['complete', { result: { run_seq: 1, ...rows } }]]]);
    expect(await toldOf(2)).toEqual([200, [['error', error]]]);
    expect(await toldOf(3)).toMatchObject([200, [['error', { code: 'cancelled' }]]]);
    const stream = await openEvents(`${url}/data_flows/${flow.name}/runs/1/events`);
    await stream.ended;
    expect(await toldOf(1, { 'Last-Event-ID': stream.events[0]!.id! })).toEqual([204, []]);
    // Of a client that has followed the run while Temporal had it.
    const earlier = { 'Last-Event-ID': '0190c5a0-7b5e-7000-8000-000000000000.4.0' };
    expect(await toldOf(1, earlier)).toMatchObject([200, [['complete', {}]]]);
  });
});
