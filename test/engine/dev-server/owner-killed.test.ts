import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { startDevServer } from '../../../engine/dev-server/dev-server.js';
import {
  identifyProcess,
  processState,
  type ProcessIdentity,
} from '../../../engine/dev-server/process-identity.js';
import { bundleProgram, type BundledProgram } from '../../support/bundled-program.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const GONE_LIMIT_MS = 8_000;

describe('when the process that started a dev server is killed', () => {
  const directory = useTemporaryDirectory();
  let program: BundledProgram;
  const owners: ChildProcess[] = [];

  beforeAll(async () => {
    program = await bundleProgram(
      fileURLToPath(new URL('./fixtures/own-a-server.ts', import.meta.url)),
    );
  });
  afterEach(() => {
    owners.splice(0).forEach((owner) => owner.kill('SIGKILL'));
  });
  afterAll(async () => {
    await program.remove();
  });

  async function startOwner(databaseFile: string): Promise<Owner> {
    const child = spawn(process.execPath, [program.path, databaseFile], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    owners.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> =>
      JSON.parse(z.string().parse((await lines.next()).value));
    const { address, pid } = z.object({ address: z.string(), pid: z.number() }).parse(await next());
    return { child, address, server: await identifyProcess(pid), next };
  }

  it('the server ends too', async () => {
    const owner = await startOwner('');
    await kill(owner.child);
    await expectGone(owner.server);
  });

  it('the next start on the same database file works at once and knows the earlier runs', async () => {
    const databaseFile = join(directory.path, 'temporal.db');
    const owner = await startOwner(databaseFile);
    await startWorkflow(owner.address, 'survivor');
    await kill(owner.child);

    const server = await startDevServer({ databaseFile, port: 0, uiPort: false });
    try {
      expect(await processState(owner.server)).toBe('gone');
      expect(await statusOf(server.address, 'survivor')).toBe('RUNNING');
    } finally {
      await server.stop();
    }
  });

  it('a server that outlives it, here because it is suspended, is ended by the next start on its database file', async () => {
    const databaseFile = join(directory.path, 'temporal.db');
    const owner = await startOwner(databaseFile);
    process.kill(owner.server.pid, 'SIGSTOP');
    await kill(owner.child);

    const messages: string[] = [];
    const server = await startDevServer({
      databaseFile,
      port: 0,
      uiPort: false,
      onProgress: (message) => messages.push(message),
    });
    try {
      expect(await processState(owner.server)).toBe('gone');
      expect(messages).toContainEqual(
        expect.stringContaining(`process ${String(owner.server.pid)}`),
      );
    } finally {
      await server.stop();
    }
  });

  it('a Ctrl-C in its terminal does not reach the server before the owner stops it', async () => {
    const owner = await startOwner('');
    process.kill(-(owner.child.pid ?? Number.NaN), 'SIGINT');
    expect(await owner.next()).toEqual({ aliveAfterInterrupt: true });
    await once(owner.child, 'exit');
    await expectGone(owner.server);
  });
});

interface Owner {
  readonly child: ChildProcess;
  readonly address: string;
  readonly server: ProcessIdentity;
  /** The next line that the program writes. */
  readonly next: () => Promise<unknown>;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function expectGone(server: ProcessIdentity): Promise<void> {
  const deadlineMs = Date.now() + GONE_LIMIT_MS;
  while ((await processState(server)) !== 'gone' && Date.now() < deadlineMs) await sleep(100);
  expect(await processState(server)).toBe('gone');
}

async function startWorkflow(address: string, workflowId: string): Promise<void> {
  const connection = await Connection.connect({ address });
  await new Client({ connection }).workflow.start('waits', { taskQueue: 'nobody', workflowId });
  await connection.close();
}

async function statusOf(address: string, workflowId: string): Promise<string> {
  const connection = await Connection.connect({ address });
  const { status } = await new Client({ connection }).workflow.getHandle(workflowId).describe();
  await connection.close();
  return status.name;
}
