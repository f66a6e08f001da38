import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { defineDataFlow, type DataFlow } from '../../src/data-flow/data-flow.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { openEvents } from '../support/event-client.js';
import { useFlowStack, type FlowStack } from '../support/flow-stack.js';
import { endOf, listSink, listSource, numbered, runToEnd, uniqueFlow } from '../support/flows.js';
import { post, send, useServers } from '../support/http-api.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
const start = useFlowStack(temporal);
const serve = useServers();

/** A flow whose batches wait until the test opens the gate. */
function gated(rows = 600): { readonly flow: DataFlow; readonly open: () => void } {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const beforeBatch = async (from: number, signal: AbortSignal): Promise<void> => {
    if (from === 0) return;
    await Promise.race([gate, delay(60_000, undefined, { signal })]);
  };
  const flow = defineDataFlow({
    name: uniqueFlow(),
    source: listSource(() => numbered(rows), beforeBatch),
    sink: listSink([]),
  });
  return { flow, open };
}

async function begun({ flows }: FlowStack, name: string, batches = 0): Promise<void> {
  await until(async () => {
    const { status, counts } = await flows.findRun(name, '1');
    return status === 'in_progress' && counts.batches >= batches ? true : undefined;
  });
}

describe('POST /data_flows/:name/run', () => {
  it('starts a run and answers 202 with it and where it is', async () => {
    const name = uniqueFlow();
    const flow = defineDataFlow({
      name,
      enabled: false,
      source: listSource(() => numbered(250)),
      sink: listSink([]),
    });
    const { engine, flows } = await start({ flows: [flow] });
    const { url } = await serve(engine, { apiAuthentication: () => ({ id: 'ann' }) });
    const answer = await post(`${url}/data_flows/${name}/run`);
    const path = `/data_flows/${name}/runs/1`;
    const links = {
      self: path,
      events: `${path}/events`,
      rejections: `${path}/rejections`,
      data_flow: `/data_flows/${name}`,
    };
    expect([answer.status, answer.headers.get('location'), answer.body]).toEqual([
      202,
      path,
      {
        run: {
          id: expect.stringMatching(/^[0-9A-Z]{26}$/),
          run_seq: 1,
          data_flow: name,
          status: 'pending',
          trigger: 'manual',
          started_at: expect.any(String),
          ended_at: null,
          duration_ms: null,
          error_message: null,
          first_cursor: null,
          last_cursor: null,
          rows_read: 0,
          rows_written: 0,
          rows_rejected: 0,
          rows_skipped: 0,
          rows_new: 0,
          rows_updated: 0,
          rows_redundant: 0,
          rows_unpredictable: 0,
          batches: 0,
          scheduled_at: null,
          workflow_id: `flow/${name}/1`,
          principal: 'ann',
          links: { ...links, cancel: `${path}/cancel` },
        },
        links: { ...links, cancel: `${path}/cancel` },
      },
    ]);
    const ended = await endOf(flows, await flows.findRun(name, '1'));
    const byId = await send(`${url}/data_flows/${name}/runs/${ended.id}`);
    expect(byId.body).toEqual((await send(`${url}${path}`)).body);
    expect(byId.body).toMatchObject({
      status: 'success',
      duration_ms: ended.endedAt!.getTime() - ended.startedAt.getTime(),
      rows_read: 250,
      rows_unpredictable: 250,
      batches: 2,
      last_cursor: 250,
      error_backtrace: null,
      links,
    });
    expect(byId.body['links']).not.toHaveProperty('cancel');
  });

  it('answers 409 with the run that goes on', async () => {
    const { flow, open } = gated();
    const { engine, flows } = await start({ flows: [flow] });
    const { url } = await serve(engine);
    const first = await post(`${url}/data_flows/${flow.name}/run`);
    const second = await post(`${url}/data_flows/${flow.name}/run`);
    const { id } = first.body['run'] as { readonly id: string };
    expect([second.status, second.body]).toMatchObject([
      409,
      { success: false, type: 'flow_active', run_id: id, run_seq: 1 },
    ]);
    open();
    await endOf(flows, await flows.findRun(flow.name, '1'));
  });
});

describe('GET /data_flows/:name/runs', () => {
  it('lists runs newest first, by status and page by page; the stack of an error only by itself', async () => {
    const name = uniqueFlow();
    let fails = false;
    const flow = defineDataFlow({
      name,
      run: () => {
        if (fails) throw permanent('the disk is full');
      },
    });
    const { engine, flows } = await start({ flows: [flow] });
    const { url } = await serve(engine);
    const path = `${url}/data_flows/${name}/runs`;
    for (const failing of [false, true, false]) {
      fails = failing;
      await runToEnd(flows, name);
    }
    const seqs = (body: Record<string, unknown>): readonly number[] =>
      (body['runs'] as readonly { run_seq: number }[]).map(({ run_seq }) => run_seq);
    const all = await send(path);
    expect([seqs(all.body), all.body['next_before']]).toEqual([[3, 2, 1], undefined]);
    const page = await send(`${path}?limit=2`);
    expect([seqs(page.body), page.body['next_before']]).toEqual([[3, 2], 2]);
    const rest = await send(`${path}?limit=2&before=2`);
    expect([seqs(rest.body), rest.body['next_before']]).toEqual([[1], undefined]);
    const failed = await send(`${path}?status=failed`);
    expect(failed.body['runs']).toEqual([
      expect.objectContaining({ run_seq: 2, error_message: 'the disk is full' }),
    ]);
    expect(JSON.stringify(failed.body)).not.toContain('error_backtrace');
    expect((await send(`${path}/2`)).body).toMatchObject({
      error_backtrace: expect.stringContaining('data-flows-runs.test'),
    });
  });

  it('refuses parameters that are none, and knows no run that there is not', async () => {
    const { flow } = gated();
    const { engine } = await start({ flows: [flow], worker: false });
    const { url } = await serve(engine);
    const path = `${url}/data_flows/${flow.name}/runs`;
    for (const query of [
      'limit=0',
      'limit=101',
      'limit=x',
      'status=done',
      'before=x',
      'before=-1',
    ]) {
      const { status, body } = await send(`${path}?${query}`);
      expect([query, status, body['type']]).toEqual([query, 400, 'invalid_request']);
    }
    for (const id of ['1', '0', '99999999999999999999', 'x', '%00', 'a%2Fb']) {
      const answers = [
        await send(`${path}/${id}`),
        await send(`${path}/${id}/events`),
        await send(`${path}/${id}/rejections`),
        await post(`${path}/${id}/cancel`),
      ];
      expect([id, ...answers.map(({ status }) => status)]).toEqual([id, 404, 404, 404, 404]);
    }
  });
});

describe('GET /data_flows/:name/runs/:id/rejections', () => {
  it('lists the rows that were refused with the reason, page by page', async () => {
    const name = uniqueFlow();
    const flow = defineDataFlow({
      name,
      source: listSource(() => numbered(6)),
      reads: z.object({ number: z.number().max(3) }),
      sink: listSink([]),
    });
    const { engine, flows } = await start({ flows: [flow] });
    const { url } = await serve(engine);
    await runToEnd(flows, name);
    const path = `${url}/data_flows/${name}/runs/1/rejections`;
    const { body } = await send(`${path}?limit=2`);
    expect(body).toEqual({
      rejections: [4, 5].map((number) => ({
        row_number: number,
        phase: 'reads',
        reason: expect.stringContaining('number'),
        row: { number },
        created_at: expect.any(String),
      })),
      next_after: 5,
    });
    const rest = await send(`${path}?limit=2&after=5`);
    expect([rest.body['next_after'], rest.body['rejections']]).toEqual([
      undefined,
      [expect.objectContaining({ row_number: 6 })],
    ]);
  });
});

describe('POST /data_flows/:name/runs/:id/cancel', () => {
  it('ends a run, and answers 409 for one that is over', async () => {
    const { flow } = gated();
    const stack = await start({ flows: [flow] });
    const { url } = await serve(stack.engine);
    await post(`${url}/data_flows/${flow.name}/run`);
    await begun(stack, flow.name);
    const path = `${url}/data_flows/${flow.name}/runs/1`;
    const answer = await post(`${path}/cancel`);
    expect([answer.status, answer.body]).toMatchObject([202, { run: { run_seq: 1 }, links: {} }]);
    await endOf(stack.flows, await stack.flows.findRun(flow.name, '1'));
    expect((await send(path)).body).toMatchObject({ status: 'cancelled' });
    const again = await post(`${path}/cancel`);
    expect([again.status, again.body]).toMatchObject([
      409,
      { type: 'execution_closed', status: 'cancelled' },
    ]);
  });

  it('closes a run that was claimed and whose workflow never began', async () => {
    const { flow } = gated();
    const { engine, flows } = await start({ flows: [flow], worker: false });
    const { url } = await serve(engine);
    await flows.list();
    await flows.starter.claim({ flow: flow.name, trigger: 'manual', now: new Date() });
    const path = `${url}/data_flows/${flow.name}/runs/1`;
    expect((await post(`${path}/cancel`)).body).toMatchObject({ run: { status: 'cancelled' } });
    expect((await post(`${path}/cancel`)).status).toBe(409);
  });
});

describe('GET /data_flows/:name/runs/:id/events', () => {
  it('tells of batches and rows while they move, and ends with the run', async () => {
    const { flow, open } = gated();
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
    const { flow, open } = gated();
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
    const { flow, open } = gated();
    open();
    const { engine, flows, project } = await start({ flows: [flow] });
    const { url } = await serve(engine);
    await flows.list();
    const claim = await flows.starter.claim({
      flow: flow.name,
      trigger: 'manual',
      now: new Date(),
    });
    const events = await openEvents(`${url}/data_flows/${flow.name}/runs/1/events`);
    await delay(600);
    expect(events.events).toEqual([]);
    if (claim.kind !== 'claimed') throw new Error(claim.kind);
    await flows.starter.start(project.registry.dataFlows.get(flow.name)!, claim.run);
    await events.ended;
    expect(events.events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['flow_started', 'complete']),
    );
  });

  it('tells the end alone of runs that Temporal does not keep any more', async () => {
    const { flow } = gated();
    const { engine, flows } = await start({ flows: [flow], worker: false });
    const { url } = await serve(engine);
    await flows.list();
    const ends = [
      { status: 'success' },
      { status: 'failed', errorMessage: 'the disk is full' },
      { status: 'cancelled', errorMessage: 'The run was cancelled.' },
    ] as const;
    for (const ending of ends) {
      const claim = await flows.starter.claim({
        flow: flow.name,
        trigger: 'manual',
        now: new Date(),
      });
      if (claim.kind !== 'claimed') throw new Error(claim.kind);
      await flows.catalog.end(claim.run, { ...ending, now: new Date() });
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
