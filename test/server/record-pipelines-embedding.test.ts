import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import Koa from 'koa';
import { recordPipelineRoutes, type RecordPipelineRoutesOptions } from '../../src/index.js';
import { post, send } from '../support/http-api.js';
import { greeting, useRecordStacks, usersIn } from '../support/record-stack.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const folder = useTemporaryDirectory();
const start = useRecordStacks();
const servers: Server[] = [];
const stores: ReturnType<typeof usersIn>[] = [];

afterEach(async () => {
  for (const store of stores.splice(0)) store.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** Somebody's own app with our router in it. */
async function mounted(options: RecordPipelineRoutesOptions) {
  const store = usersIn(folder.path, ['Ann']);
  stores.push(store);
  const { engine } = await start(greeting(store));
  const app = new Koa();
  app.use(recordPipelineRoutes(engine, options).routes());
  app.use((ctx) => {
    ctx.body = { own: true };
  });
  const server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  return { store, url: `http://127.0.0.1:${String(port)}` };
}

describe('recordPipelineRoutes in an app of somebody else', () => {
  it('serves the API below its path, and lets everything else pass', async () => {
    const { url } = await mounted({ path: '/ops/records/' });
    expect((await send(`${url}/ops/records/greeting/records/user`)).body).toMatchObject({
      records: [{ name: 'Ann' }],
    });
    expect((await send(`${url}/ops/records`)).body).toMatchObject({
      record_pipelines: [{ links: { self: '/ops/records/greeting' } }],
    });
    expect((await send(`${url}/record_pipelines`)).body).toEqual({ own: true });
    expect((await send(`${url}/ops/records/nobody`)).status).toBe(404);
  });

  it('restores a version where it asks who makes the request, and nowhere else', async () => {
    const open = await mounted({});
    const version = await open.store.snapshot();
    const path = `/record_pipelines/greeting/versions/${version.info.id}/restore`;
    expect((await post(`${open.url}${path}`)).status).toBe(403);
    const asking = await mounted({ apiAuthentication: (ctx) => ctx.get('x-user') });
    expect((await post(`${asking.url}${path}`)).status).toBe(401);
    expect((await post(`${asking.url}${path}`, {}, { 'x-user': 'ann' })).status).toBe(200);
  });
});
