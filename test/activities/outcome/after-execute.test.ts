import { describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { Client } from '@temporalio/client';
import pino from 'pino';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import { runAfterExecute } from '../../../activities/outcome/after-execute.js';
import { WebhookSender } from '../../../adapters/webhook/webhook-sender.js';
import type { AfterExecute } from '../../../src/config/hooks.js';
import type { RunOutcome } from '../../../src/outcome/outcome.js';

const OUTCOME: RunOutcome = {
  workflowId: 'pipeline/report/1',
  runId: 'r',
  executionId: '1',
  name: 'report',
  status: 'completed',
  result: { words: 3 },
  startedAt: 1_000,
  completedAt: 1_250,
};

/** A worker's dependencies, and the lines that it logs. */
function worker(afterExecute?: AfterExecute): {
  readonly deps: ActivityDependencies;
  readonly lines: Record<string, unknown>[];
} {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    {},
    {
      write: (line: string) => {
        // pino writes JSON objects.
        lines.push(JSON.parse(line) as Record<string, unknown>);
      },
    },
  );
  const deps: ActivityDependencies = {
    code: {
      operation: () => undefined,
      activity: () => undefined,
      dataFlow: () => undefined,
      recordPipeline: () => undefined,
      stepHandler: () => undefined,
      predicate: () => undefined,
      model: () => undefined,
      modelNames: [],
      modules: new Map(),
      definitions: new Map(),
    },
    services: {},
    log,
    outcomes: {
      webhooks: new WebhookSender({ secrets: [], allow: [] }),
      webhookMaxAgeMs: 0,
      afterExecute: () => afterExecute,
      client: new Client(),
      taskQueue: 'test',
    },
  };
  return { deps, lines };
}

describe('afterExecute in a worker whose configuration lacks it', () => {
  it('is asked for again, of whichever worker there is by then, and warned about', async () => {
    const { deps, lines } = worker();
    const environment = new MockActivityEnvironment({ attempt: 1 });
    const failure = await environment
      .run(runAfterExecute, deps, OUTCOME)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type: 'AfterExecuteMissing', nextRetryDelay: '30s' });
    expect(lines).toEqual([
      expect.objectContaining({
        level: 40,
        run: 'pipeline/report/1',
        msg: expect.stringContaining('the configuration of this worker does not have it'),
      }),
    ]);
  });

  it('is given up in the end, with an error in the log', async () => {
    const { deps, lines } = worker();
    await new MockActivityEnvironment({ attempt: 5 }).run(runAfterExecute, deps, OUTCOME);
    expect(lines).toEqual([
      expect.objectContaining({
        level: 50,
        run: 'pipeline/report/1',
        msg: expect.stringContaining("Nobody was told of this run's end."),
      }),
    ]);
  });

  it('is called by a worker that has it', async () => {
    const told: unknown[] = [];
    const { deps, lines } = worker((name, outcome, { durationMs }) => {
      told.push([name, outcome, durationMs]);
    });
    await new MockActivityEnvironment({ attempt: 2 }).run(runAfterExecute, deps, OUTCOME);
    expect(told).toEqual([['report', { status: 'completed', result: { words: 3 } }, 250]]);
    expect(lines).toEqual([]);
  });
});
