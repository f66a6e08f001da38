import { describe, expect, it } from '@jest/globals';
import { defineOperation, definePipeline, defineSubscriber, subscribe } from 'millrace';
import { createTestEnvironment, type TestEnvironmentSettings } from 'millrace/testing';
import pino from 'pino';
import { useTemporal } from '../support/temporal.js';
import { useWorkflowThreads } from '../support/workflow-threads.js';

useWorkflowThreads();
const temporal = useTemporal();

const nothing = defineOperation({ name: 'nothing', run: () => ({}) });
const idle = definePipeline({ name: 'idle', stages: [{ name: 's', operations: [nothing] }] });

interface Heard {
  readonly type: string;
  readonly services: unknown;
}

/** A subscriber that needs a moment for each event. */
function slowSubscriber(heard: Heard[]) {
  return defineSubscriber({
    name: 'slow',
    events: ['pipeline.execution.completed', 'operation.**'],
    handle: async ({ event_type: type }, { log, services }) => {
      log.info(type);
      await new Promise((resolve) => setTimeout(resolve, 20));
      heard.push({ type, services });
    },
  });
}

async function runOnce(
  heard: Heard[],
  settings: TestEnvironmentSettings,
): Promise<readonly string[]> {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  await using env = await createTestEnvironment({
    pipelines: [idle],
    subscribers: [slowSubscriber(heard)],
    services: { mood: 'good' },
    env: { TEMPORAL_ADDRESS: temporal.address },
    log,
    ...settings,
  });
  await env.engine.execute('idle', {});
  return lines;
}

describe('the subscribers of a project', () => {
  it('are told by its worker, with services and a log, and have ended before it has', async () => {
    const heard: Heard[] = [];
    const lines = await runOnce(heard, {});
    expect(heard).toEqual(
      [
        'operation.execution.started',
        'operation.execution.completed',
        'pipeline.execution.completed',
      ].map((type) => ({ type, services: { mood: 'good' } })),
    );
    expect(lines.filter((line) => line.includes('operation.execution.started'))).toHaveLength(1);
  });

  it('are told nothing, and nobody in the process is, where events are off', async () => {
    const heard: Heard[] = [];
    const others: string[] = [];
    const end = subscribe('**', ({ event_type: type }) => others.push(type));
    await runOnce(heard, { config: { events: { enabled: false } } });
    end();
    expect([heard, others]).toEqual([[], []]);
  });

  it('hear nothing of other workers of the process, which `subscribe` does', async () => {
    const heard: Heard[] = [];
    const others: string[] = [];
    const end = subscribe('run.execution.started', ({ event_type: type }) => others.push(type));
    const idler: Heard[] = [];
    await using bystander = await createTestEnvironment({
      pipelines: [idle],
      subscribers: [slowSubscriber(idler)],
      env: { TEMPORAL_ADDRESS: temporal.address },
    });
    await runOnce(heard, {});
    end();
    expect(bystander.taskQueue).not.toBe('');
    expect([heard.length, idler.length]).toEqual([3, 0]);
    expect(others).toEqual(['pipeline.execution.started']);
  });
});
