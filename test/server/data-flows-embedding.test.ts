import { afterEach, describe, expect, it } from '@jest/globals';
import Koa from 'koa';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dataFlowRoutes, type DataFlowRoutesOptions } from '../../src/index.js';
import { defineDataFlow } from '../../src/data-flow/data-flow.js';
import { useFlowStack, type FlowStackOptions } from '../support/flow-stack.js';
import { uniqueFlow } from '../support/flows.js';
import { post, send } from '../support/http-api.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const start = useFlowStack(temporal);
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** Somebody's own app with our router in it, and one flow that is due. */
async function mounted(
  options: DataFlowRoutesOptions,
  { config }: Pick<FlowStackOptions, 'config'> = {},
) {
  const name = uniqueFlow();
  const stack = await start({
    flows: [
      defineDataFlow({ name, schedule: { heartbeat: { every: '1h' } }, run: () => undefined }),
    ],
    worker: false,
    ...(config !== undefined && { config }),
  });
  const app = new Koa();
  app.use(dataFlowRoutes(stack.engine, options).routes());
  app.use((ctx) => {
    ctx.body = { own: true };
  });
  const server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  return { ...stack, name, url: `http://127.0.0.1:${String(port)}` };
}

describe('dataFlowRoutes in an app of somebody else', () => {
  it('serves the API and the heartbeat below its path, and lets everything else pass', async () => {
    const { url, name } = await mounted({ path: '/etl/' });
    expect((await send(`${url}/etl/${name}`)).body).toMatchObject({
      name,
      links: { self: `/etl/${name}` },
    });
    expect((await post(`${url}/etl/heartbeat`)).body).toMatchObject({ flows_triggered: 1 });
    expect((await send(`${url}/data_flows`)).body).toEqual({ own: true });
    const missing = await send(`${url}/etl/nobody`);
    expect([missing.status, missing.body['type']]).toEqual([404, 'not_found']);
  });

  it('asks its own hooks, and the token alone at the heartbeat', async () => {
    const { url, name } = await mounted({
      apiAuthentication: (ctx) => ctx.get('x-user'),
      authorizeDataFlows: (_ctx, { access }) => access === 'read',
      heartbeat: { authenticationToken: async () => 'token' },
    });
    const as = { 'x-user': 'ann' };
    expect((await send(`${url}/data_flows`)).status).toBe(401);
    expect((await send(`${url}/data_flows`, { headers: as })).status).toBe(200);
    expect((await post(`${url}/data_flows/${name}/run`, {}, as)).status).toBe(403);
    expect((await post(`${url}/data_flows/heartbeat`, {}, as)).status).toBe(401);
    const bearer = { authorization: 'Bearer token' };
    expect((await post(`${url}/data_flows/heartbeat`, {}, bearer)).status).toBe(200);
  });

  it('guards the heartbeat by the address, and by apiAuthentication where there is no token', async () => {
    const elsewhere = await mounted({ heartbeat: { whitelistedIps: ['10.0.0.0/8'] } });
    expect((await post(`${elsewhere.url}/data_flows/heartbeat`)).status).toBe(403);
    const asked = await mounted({ apiAuthentication: (ctx) => ctx.get('x-user') });
    expect((await post(`${asked.url}/data_flows/heartbeat`)).status).toBe(401);
    const none = await mounted({ heartbeat: false });
    expect((await post(`${none.url}/data_flows/heartbeat`)).status).toBe(405);
  });

  it.each([
    ['empty', { authenticationToken: '' }],
    ['blank', { authenticationToken: '  ' }],
    // As process.env gives a variable that is not set.
    ['undefined', { authenticationToken: undefined as unknown as string }],
    ['missing', { authenticationEnabled: true }],
  ])('refuses a token that is %s', async (_what, heartbeat) => {
    await expect(mounted({ heartbeat })).rejects.toMatchObject({ name: 'HeartbeatTokenInvalid' });
  });

  it('answers 500 and starts nothing where the function that gives the token gives none', async () => {
    const { url, flows, name } = await mounted({ heartbeat: { authenticationToken: () => '' } });
    expect((await post(`${url}/data_flows/heartbeat`)).status).toBe(500);
    expect(
      (await post(`${url}/data_flows/heartbeat`, {}, { 'x-heartbeat-token': '' })).status,
    ).toBe(500);
    await flows.list();
    expect(await flows.runs(name, { limit: 1 })).toEqual([]);
  });

  it('does not open a heartbeat that the configuration wants authenticated', async () => {
    const config = {
      dataFlows: {
        heartbeat: { authenticationEnabled: true, authenticationToken: '${HEARTBEAT_TOKEN}' },
      },
    };
    await expect(mounted({}, { config })).rejects.toMatchObject({ name: 'HeartbeatTokenInvalid' });
    const { url } = await mounted({ heartbeat: { authenticationToken: 'token' } }, { config });
    expect((await post(`${url}/data_flows/heartbeat`)).status).toBe(401);
  });
});
