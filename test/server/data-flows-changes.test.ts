import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineDataFlow } from '../../src/data-flow/data-flow.js';
import { useFlowStack } from '../support/flow-stack.js';
import { listSink, listSource, numbered, runToEnd, uniqueFlow } from '../support/flows.js';
import { post, send, useServers } from '../support/http-api.js';
import { useTemporal } from '../support/temporal.js';
import { CONFIGURATION } from './flow-configuration.js';

const temporal = useTemporal();
const start = useFlowStack(temporal);
const serve = useServers();

function configured() {
  const name = uniqueFlow();
  const flow = defineDataFlow({ name, configuration: CONFIGURATION, run: () => undefined });
  return { name, flows: [flow] };
}

describe('PATCH /data_flows/:name', () => {
  it('has what two people change at the same time, member by member', async () => {
    const { flows, name } = configured();
    const stack = await start({ flows, worker: false });
    const beside = await start({ flows, beside: stack });
    const { url } = await serve(stack.engine);
    await stack.flows.show(name);
    for (const pages of [3, 4, 5]) {
      const region = pages === 4 ? 'north' : 'south';
      await Promise.all([
        stack.flows.change(name, { configuration: { pages } }),
        beside.flows.change(name, { configuration: { region } }),
      ]);
      expect((await send(`${url}/data_flows/${name}`)).body).toMatchObject({
        configuration: { pages, region },
      });
    }
  });
});

describe('POST /data_flows/:name/reset', () => {
  it('moves the cursor to where it is told, or to the beginning', async () => {
    const { flows, name } = configured();
    const { engine } = await start({ flows, worker: false });
    const { url } = await serve(engine);
    const reset = (body?: object) => post(`${url}/data_flows/${name}/reset`, body);
    for (const [body, cursor] of [
      [{ cursor: { id: 4711 } }, { id: 4711 }],
      [{ cursor: null }, null],
      [{ cursor: 'page 2' }, 'page 2'],
      [{}, null],
    ] as const) {
      const answer = await reset(body);
      expect([answer.status, answer.body]).toMatchObject([200, { name, cursor }]);
      expect((await send(`${url}/data_flows/${name}`)).body).toMatchObject({ cursor });
    }
    const wrong = await reset({ curser: 1 });
    expect([wrong.status, wrong.body]).toMatchObject([422, { violations: [{ path: 'curser' }] }]);
    expect((await post(`${url}/data_flows/nobody/reset`)).status).toBe(404);
  });

  it('answers 409 while a run goes on, and 403 to who may only read', async () => {
    const { flows, name } = configured();
    const stack = await start({ flows, worker: false });
    const { url } = await serve(stack.engine);
    const run = await stack.flows.run(name);
    const busy = await post(`${url}/data_flows/${name}/reset`, { cursor: 1 });
    expect([busy.status, busy.body]).toMatchObject([409, { type: 'flow_active', run_seq: 1 }]);
    await stack.flows.cancel(name, run.id);
    const asked: unknown[] = [];
    const reader = await serve(stack.engine, {
      authorizeDataFlows: (_ctx, requested) => {
        asked.push(requested);
        return requested.access === 'read';
      },
    });
    expect((await post(`${reader.url}/data_flows/${name}/reset`)).status).toBe(403);
    expect(asked).toEqual([{ access: 'write', flow: name }]);
  });
});

describe('a run that failed for too many rejected rows', () => {
  it('tells how many it has rejected, which are listed', async () => {
    const name = uniqueFlow();
    const flow = defineDataFlow({
      name,
      maxRejected: 4,
      source: listSource(() => numbered(20)),
      reads: z.object({ number: z.number().max(10) }),
      sink: listSink([]),
    });
    const { engine, flows } = await start({ flows: [flow] });
    const { url } = await serve(engine);
    await runToEnd(flows, name);
    const path = `${url}/data_flows/${name}/runs/1`;
    expect((await send(path)).body).toMatchObject({
      status: 'failed',
      rows_read: 0,
      rows_rejected: 10,
    });
    expect((await send(`${path}/rejections`)).body['rejections']).toHaveLength(10);
  });
});
