import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { Client } from '@temporalio/client';
import { NativeConnection, type Worker } from '@temporalio/worker';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino, { type Logger } from 'pino';
import type { ApprovalLinks } from '../../adapters/approval/approval-links.js';
import type { EventBridge } from '../../adapters/event/event-bridge.js';
import { WebhookSender } from '../../adapters/webhook/webhook-sender.js';
import type { AfterExecute } from '../../src/config/hooks.js';
import { NO_SERVICES, type ModelReference, type Services } from '../../src/pipeline/context.js';
import { DeployedCode } from '../../engine/deployed-code.js';
import { Engine } from '../../engine/engine.js';
import { buildRegistry, type Sources } from '../../engine/registry.js';
import type { Activity } from '../../src/definition/activity.js';
import { formatProblem } from '../../src/definition/problem.js';
import type { Operation } from '../../src/pipeline/operation.js';
import type { Pipeline } from '../../src/pipeline/pipeline.js';
import type { RecordPipeline } from '../../src/record-pipeline/record-pipeline.js';
import type { Task } from '../../src/task/task.js';
import type { Workflow } from '../../src/definition/workflow.js';
import { createTemporalWorker } from '../../worker/temporal-worker.js';
import { workflowBundle } from '../../worker/workflow-bundle.js';
import { testLogger, uniqueTaskQueue, type TestTemporal } from './temporal.js';

/** What a test defines. */
export interface StackDefinitions {
  readonly operations?: readonly Operation[];
  readonly pipelines?: readonly Pipeline[];
  readonly workflows?: readonly Workflow[];
  readonly workflowFiles?: readonly string[];
  /** Their workers say where the stores are, and take none of the stores' own work. */
  readonly recordPipelines?: readonly RecordPipeline[];
  readonly tasks?: readonly Task[];
  /** Functions of `activities/`, by the name of their export. */
  readonly activities?: Readonly<Record<string, Activity['run']>>;
  readonly models?: ReadonlyMap<string, ModelReference>;
  readonly services?: Services;
  readonly afterExecute?: AfterExecute;
  /** Standard Webhooks secret; deliveries go to loopback addresses here. */
  readonly webhookSecret?: string;
  /** Addresses that webhooks may go to; `private` unless given. */
  readonly webhookAllow?: readonly string[];
  /** How long deliveries are tried; an hour unless given. */
  readonly webhookMaxAgeMs?: number;
  /** Links of approvals. */
  readonly approvals?: ApprovalLinks;
  /** Publishes what happens in the stack's workers; nothing is published unless given. */
  readonly events?: EventBridge;
  /** Gets what workers log; nobody does unless given. */
  readonly log?: Logger;
  /** Without a worker nothing runs until the test starts one. */
  readonly worker?: boolean;
}

/** An engine and a worker with a test's own definitions, on a task queue of its own. */
export interface Stack {
  readonly engine: Engine;
  readonly code: DeployedCode;
  readonly taskQueue: string;
  /** Starts one more worker, with other code if given. Stopped after the test. */
  readonly startWorker: (code?: DeployedCode) => Promise<RunningWorker>;
}

/** A worker that takes work until it is stopped. */
export interface RunningWorker {
  stop(): Promise<void>;
}

/** Gives each test of a file stacks of its own, and stops their workers after it. */
export function useStacks(
  temporal: TestTemporal,
): (definitions: StackDefinitions) => Promise<Stack> {
  const running: RunningWorker[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((worker) => worker.stop()));
  });
  return (definitions) => createStack(temporal, definitions, running);
}

/**
 * One stack for all tests of a `describe`, with its worker; stopped after the last of them. Call it inside of the `describe`,
 * so that its worker stops before the connection of {@link useTemporal} is closed.
 */
export function useSharedStack(
  temporal: TestTemporal,
  definitions: () => StackDefinitions,
): { readonly current: Stack } {
  const running: RunningWorker[] = [];
  let stack: Stack | undefined;
  beforeAll(async () => {
    stack = await createStack(temporal, definitions(), running);
  });
  afterAll(async () => {
    await Promise.all(running.splice(0).map((worker) => worker.stop()));
  });
  return {
    get current() {
      if (stack === undefined)
        throw new Error('useSharedStack() is ready inside of hooks and tests');
      return stack;
    },
  };
}

async function createStack(
  temporal: TestTemporal,
  definitions: StackDefinitions,
  running: RunningWorker[],
): Promise<Stack> {
  const taskQueue = uniqueTaskQueue();
  const code = codeOf(definitions);
  const client = new Client({
    connection: temporal.nativeConnection,
    namespace: temporal.namespace,
  });
  const webhooks = new WebhookSender({
    secrets: definitions.webhookSecret === undefined ? [] : [definitions.webhookSecret],
    allow: definitions.webhookAllow ?? ['private'],
  });
  let workers = 0;
  const startWorker = async (other = code): Promise<RunningWorker> => {
    // One connection takes one worker of a queue; more of them stand for other processes.
    const connection =
      workers++ === 0
        ? temporal.nativeConnection
        : await NativeConnection.connect({ address: temporal.address });
    const worker = await createTemporalWorker({
      connection,
      namespace: temporal.namespace,
      taskQueue,
      workflowBundle: await workflowBundle({
        files: definitions.workflowFiles ?? [],
        cacheDir: join(tmpdir(), 'millrace-test-bundles'),
        logger: testLogger,
      }),
      code: other,
      services: definitions.services ?? NO_SERVICES,
      log: definitions.log ?? pino({ level: 'silent' }),
      ...(definitions.events !== undefined && { events: definitions.events }),
      outcomes: {
        webhooks,
        webhookMaxAgeMs: definitions.webhookMaxAgeMs ?? 3_600_000,
        client,
        taskQueue,
        afterExecute: () => definitions.afterExecute,
      },
      ...(definitions.approvals !== undefined && { approvals: definitions.approvals }),
      options: { shutdownGraceTime: '1s' },
    });
    const handle = keepRunning(worker, async () => {
      if (connection !== temporal.nativeConnection) await connection.close();
    });
    running.push(handle);
    return handle;
  };
  if (definitions.worker !== false) await startWorker();
  const engine = new Engine({
    client,
    taskQueue,
    code,
    eagerStart: true,
    afterExecute: definitions.afterExecute !== undefined,
  });
  return { engine, code, taskQueue, startWorker };
}

/** Compiles a test's definitions; fails with the problems where there are any. */
export function codeOf(definitions: StackDefinitions): DeployedCode {
  const sources: Sources = {
    operations: definitions.operations ?? [],
    pipelines: (definitions.pipelines ?? []).map((definition) => ({
      definition,
      locate: () => definition.site,
    })),
    workflows: definitions.workflows ?? [],
    recordPipelines: (definitions.recordPipelines ?? []).map((definition) => ({
      definition,
      locate: () => definition.site,
    })),
    tasks: (definitions.tasks ?? []).map((definition) => ({
      definition,
      locate: () => definition.site,
    })),
    activities: Object.entries(definitions.activities ?? {}).map(([name, run]) => ({ name, run })),
    models: definitions.models ?? new Map(),
    readFile: () => undefined,
  };
  const { registry, problems } = buildRegistry(sources);
  if (registry === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  return new DeployedCode(registry, definitions.models);
}

function keepRunning(worker: Worker, close: () => Promise<void>): RunningWorker {
  const ended = worker.run();
  let stopping: Promise<void> | undefined;
  return {
    stop: () => {
      stopping ??= (async () => {
        worker.shutdown();
        await ended;
        await close();
      })();
      return stopping;
    },
  };
}
