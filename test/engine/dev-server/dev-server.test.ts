import { access, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import {
  DatabaseInUse,
  DevServerStartFailed,
} from '../../../engine/dev-server/dev-server-errors.js';
import {
  startDevServer,
  type DevServer,
  type DevServerOptions,
} from '../../../engine/dev-server/dev-server.js';
import { identifyProcess, processState } from '../../../engine/dev-server/process-identity.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

describe('a dev server', () => {
  const directory = useTemporaryDirectory();
  const started: { stop(): Promise<void> }[] = [];

  afterEach(async () => {
    await Promise.all(started.splice(0).map((one) => one.stop()));
  });

  async function start(options: DevServerOptions = {}): Promise<DevServer> {
    const server = await startDevServer({ port: 0, uiPort: false, ...options });
    started.push(server);
    return server;
  }

  it('keeps its runs in the database file from one start to the next', async () => {
    const databaseFile = join(directory.path, 'state', 'temporal.db');
    const first = await start({ databaseFile });
    await withClient(first, (client) =>
      client.workflow.start('waits', { taskQueue: 'nobody', workflowId: 'kept' }),
    );
    await expect(access(`${databaseFile}-wal`)).resolves.toBeUndefined();
    await first.stop();

    const second = await start({ databaseFile });
    const described = await withClient(second, (client) =>
      client.workflow.getHandle('kept').describe(),
    );
    expect(described).toMatchObject({ type: 'waits', status: { name: 'RUNNING' } });
  });

  it('takes the next free ports where the preferred ones are busy, and tells which', async () => {
    const port = await occupyTwoPorts(started);
    const server = await start({ port, uiPort: port });
    const uiPort = Number(new URL(server.uiUrl ?? '').port);
    const grpcPort = Number(server.address.split(':')[1]);
    expect(grpcPort).toBeGreaterThan(port + 1);
    expect(uiPort).toBeGreaterThan(grpcPort);
    const page = await fetch(server.uiUrl ?? '');
    expect(page.status).toBe(200);
  });

  it('registers custom search attributes and a namespace', async () => {
    const server = await start({ namespace: 'billing', searchAttributes: { Customer: 'Keyword' } });
    const attributes = await withClient(server, ({ connection }) =>
      connection.operatorService.listSearchAttributes({ namespace: 'billing' }),
    );
    expect(Object.keys(attributes.customAttributes)).toContain('Customer');
  });

  it('has ended when stop() returns, also when stop() is called twice', async () => {
    const server = await start();
    const identity = await identifyProcess(server.pid);
    expect(await processState(identity)).toBe('running');
    await Promise.all([server.stop(), server.stop()]);
    expect(await processState(identity)).toBe('gone');
    expect(await server.exited).toEqual({ code: 0, signal: null });
    await expect(access(server.logFile)).rejects.toThrow('ENOENT');
  });

  it('refuses a database file that a server of a running process is using', async () => {
    const databaseFile = join(directory.path, 'temporal.db');
    const first = await start({ databaseFile });
    const second = startDevServer({ databaseFile, port: 0, uiPort: false });
    await expect(second).rejects.toThrow(DatabaseInUse);
    await expect(second).rejects.toMatchObject({ ownerPid: process.pid, address: first.address });
  });

  it('fails with the end of its log when it does not come up', async () => {
    const databaseFile = join(directory.path, 'not-a-database.db');
    await writeFile(databaseFile, 'This is prose. '.repeat(1_000));
    const failed = await startDevServer({ databaseFile, port: 0, uiPort: false }).catch(
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(DevServerStartFailed);
    expect(failed).toMatchObject({ logTail: expect.stringContaining('not a database') });
    await expect(access(`${databaseFile}.json`)).rejects.toThrow('ENOENT');
  });

  it('lets two servers start at the same time', async () => {
    const servers = await Promise.all([start({ port: 7_400 }), start({ port: 7_400 })]);
    expect(new Set(servers.map((server) => server.address)).size).toBe(2);
    const names = await Promise.all(servers.map((server) => withClient(server, systemInfo)));
    expect(names.every((info) => info.serverVersion !== '')).toBe(true);
  });
});

async function systemInfo({ connection }: Client): Promise<{ serverVersion?: string | null }> {
  return connection.workflowService.getSystemInfo({});
}

async function withClient<T>(server: DevServer, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: server.address });
  try {
    return await work(new Client({ connection, namespace: server.namespace }));
  } finally {
    await connection.close();
  }
}

/** Listens on two neighbouring ports and gives the lower one. */
async function occupyTwoPorts(cleanUp: { stop(): Promise<void> }[]): Promise<number> {
  for (;;) {
    const first = await listen(0);
    const address = first?.address();
    if (first === undefined || address === null || typeof address !== 'object')
      throw new Error('cannot listen');
    const second = await listen(address.port + 1);
    cleanUp.push({ stop: () => closeServer(first) });
    if (second === undefined) continue;
    cleanUp.push({ stop: () => closeServer(second) });
    return address.port;
  }
}

async function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen(port, '127.0.0.1', () => {
      resolve(server);
    });
  });
}

async function closeServer(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}
