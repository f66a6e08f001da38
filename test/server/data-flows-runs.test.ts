import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineDataFlow } from '../../src/data-flow/data-flow.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { useFlowStack, type FlowStack } from '../support/flow-stack.js';
import {
  claimRun,
  endOf,
  gatedFlow,
  listSink,
  listSource,
  numbered,
  runToEnd,
  uniqueFlow,
} from '../support/flows.js';
import { post, send, useServers } from '../support/http-api.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
const start = useFlowStack(temporal);
const serve = useServers();

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

  it('links the run in the Temporal UI, where it is known, from every place that tells it', async () => {
    const name = uniqueFlow();
    const flow = defineDataFlow({ name, run: () => undefined });
    const uiUrl = 'http://ui.example:8233';
    const { engine, flows } = await start({ flows: [flow], uiUrl });
    const { url } = await serve(engine);
    const path = `${url}/data_flows/${name}`;
    const started = await post(`${path}/run`);
    await endOf(flows, await flows.findRun(name, '1'));
    const [list, one] = [await send(`${path}/runs`), await send(`${path}/runs/1`)];
    const link = `${uiUrl}/namespaces/${temporal.namespace}/workflows/flow%2F${name}%2F1`;
    const linked = { links: { temporal_ui: link } };
    expect(started.body).toMatchObject({ ...linked, run: linked });
    expect(list.body).toMatchObject({ runs: [linked] });
    expect(one.body).toMatchObject(linked);
  });

  it('answers 409 with the run that goes on', async () => {
    const { flow, open } = gatedFlow();
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
    const { flow } = gatedFlow();
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
    const { flow } = gatedFlow();
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
    const { flow } = gatedFlow();
    const { engine, flows } = await start({ flows: [flow], worker: false });
    const { url } = await serve(engine);
    await flows.list();
    await claimRun(flows, flow.name);
    const path = `${url}/data_flows/${flow.name}/runs/1`;
    expect((await post(`${path}/cancel`)).body).toMatchObject({ run: { status: 'cancelled' } });
    expect((await post(`${path}/cancel`)).status).toBe(409);
  });
});
