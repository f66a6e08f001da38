import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { defineOperation, definePipeline, type Operation } from 'millrace';
import pino from 'pino';
import { ulid } from 'ulid';
import { z } from 'zod';
import { Engine } from '../../engine/engine.js';
import { connectWorkerClient } from '../../engine/native-connection.js';
import { testProject } from '../../testing/test-project.js';
import { ReloadableWorker } from '../../worker/project-worker.js';
import { uniqueTaskQueue, useTemporal } from '../support/temporal.js';
import { useWebhookReceiver } from '../support/webhook-receiver.js';

const temporal = useTemporal();
const receiver = useWebhookReceiver();

/** The server's own parts learn of a version one after the other. */
const KNOWN_WITHIN_MS = 20_000;

/** Says which build runs it, before and after it was told to go on. */
function stamp(name: string, build: string, gate: () => Promise<void>): Operation {
  return defineOperation({
    name,
    sets: z.object({ [name]: z.string() }),
    timeout: '20s',
    run: async () => {
      await gate();
      return { [name]: build };
    },
  });
}

const builds = definePipeline({
  name: 'builds',
  timeout: '60s',
  stages: [
    { name: 'one', operations: ['one'] },
    { name: 'two', operations: ['two'] },
  ],
});

interface Deployment {
  readonly name: string;
  readonly taskQueue: string;
  /** A worker of this build. */
  readonly start: (build: string, gate?: () => Promise<void>) => Promise<ReloadableWorker>;
  /** Makes a build the one that new runs begin on. */
  readonly promote: (build: string) => Promise<void>;
}

function deployment(behavior: 'PINNED' | 'AUTO_UPGRADE'): Deployment {
  const name = `deployment-${ulid()}`;
  const taskQueue = uniqueTaskQueue();
  const { namespace } = temporal;
  return {
    name,
    taskQueue,
    start: async (build, gate = async () => undefined) => {
      const project = await testProject(
        {
          pipelines: [builds],
          operations: [stamp('one', build, gate), stamp('two', build, async () => undefined)],
        },
        {
          config: {
            asyncQueue: taskQueue,
            webhooks: { allow: ['private'] },
            worker: {
              shutdownGraceTime: '1s',
              workerDeploymentOptions: {
                version: { deploymentName: name, buildId: build },
                useWorkerVersioning: true,
                defaultVersioningBehavior: behavior,
              },
            },
          },
          env: {},
          models: new Map(),
        },
      );
      const link = await connectWorkerClient({
        address: temporal.address,
        namespace,
        credentials: {},
      });
      const log = pino({ level: 'silent' });
      const worker = await ReloadableWorker.create({
        project,
        link,
        log,
        env: {},
        schedules: false,
      });
      worker.run().catch(() => undefined);
      return worker;
    },
    promote: async (buildId) => {
      const deadline = Date.now() + KNOWN_WITHIN_MS;
      const { workflowService } = temporal.client;
      const set = (): Promise<unknown> =>
        workflowService.setWorkerDeploymentCurrentVersion({
          namespace,
          deploymentName: name,
          buildId,
        });
      for (;;) {
        try {
          await set();
          return;
        } catch (error) {
          if (Date.now() > deadline) throw error;
          await delay(200);
        }
      }
    },
  };
}

/** An engine of another process than the workers'. */
function engineFor(worker: ReloadableWorker): Engine {
  const { client } = temporal;
  return new Engine({ client, taskQueue: worker.taskQueue, code: worker.code });
}

/** Begins a run on the old build and holds it in its first operation until the new build is the current one. */
async function acrossADeploy(
  behavior: 'PINNED' | 'AUTO_UPGRADE',
): Promise<{ readonly begun: unknown; readonly next: unknown }> {
  const { start, promote } = deployment(behavior);
  let open: () => void = () => undefined;
  let reached: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const inside = new Promise<void>((resolve) => (reached = resolve));
  const old = await start('1', async () => {
    reached();
    await gate;
  });
  const fresh = await start('2');
  try {
    await promote('1');
    const engine = engineFor(old);
    const run = await engine.start('builds', {});
    await inside;
    await promote('2');
    const next = await fresh.engine.execute('builds', {});
    open();
    return { begun: await run.result(), next: next.result };
  } finally {
    open();
    await Promise.all([old.stop(), fresh.stop()]);
  }
}

describe('Worker Versioning', () => {
  it('keeps a PINNED run on the build that it began on, and begins new ones on the current build', async () => {
    expect(await acrossADeploy('PINNED')).toEqual({
      begun: { one: '1', two: '1' },
      next: { one: '2', two: '2' },
    });
  }, 90_000);

  it('moves an AUTO_UPGRADE run to the current build with its next step', async () => {
    expect(await acrossADeploy('AUTO_UPGRADE')).toEqual({
      begun: { one: '1', two: '2' },
      next: { one: '2', two: '2' },
    });
  }, 90_000);

  it('begins runs on the current build, also when a worker of an older one starts them', async () => {
    const { start, promote } = deployment('PINNED');
    const [old, fresh] = [await start('1'), await start('2')];
    try {
      await promote('2');
      const results = await Promise.all(
        Array.from({ length: 5 }, () => old.engine.execute('builds', {})),
      );
      expect(results.map(({ result }) => result)).toEqual(
        Array.from({ length: 5 }, () => ({ one: '2', two: '2' })),
      );
    } finally {
      await Promise.all([old.stop(), fresh.stop()]);
    }
  }, 60_000);

  it('delivers the webhook of a PINNED run by the current build when its own is gone', async () => {
    const { start, promote } = deployment('PINNED');
    const old = await start('1');
    const path = `/${old.taskQueue}`;
    receiver.answer(path, 500);
    await promote('1');
    const run = await engineFor(old).start('builds', {}, { webhookUrl: receiver.url(path) });
    expect(await run.result()).toEqual({ one: '1', two: '1' });
    await receiver.deliveries(path, 1);
    const fresh = await start('2');
    try {
      await promote('2');
      await old.stop();
      const [, again] = await receiver.deliveries(path, 2, 30_000);
      expect(JSON.parse(again?.body ?? '')).toMatchObject({ result: { one: '1', two: '1' } });
    } finally {
      await fresh.stop();
    }
  }, 90_000);
});
