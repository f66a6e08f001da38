import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { context, createContextKey, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-node';
import {
  batches,
  defineBatchableHandler,
  defineOperation,
  definePipeline,
  defineStepHandler,
  defineTask,
  error,
  success,
} from 'millrace';
import { openTelemetry } from 'millrace/opentelemetry';
import { createTestEnvironment, type TestEnvironment } from 'millrace/testing';
import { useTemporal } from '../support/temporal.js';
import { useWorkflowThreads } from '../support/workflow-threads.js';

useWorkflowThreads();
const temporal = useTemporal();

/** What a database's instrumentation does: a span for a call, a child of whatever span is active. */
async function query(): Promise<void> {
  await pause(2);
  await trace.getTracer('database').startActiveSpan('query', async (span) => {
    await pause(2);
    span.end();
  });
}

const divide = defineBatchableHandler({
  name: 'divide',
  run: async () => {
    await query();
    return batches({ total: 2 });
  },
});
const load = defineStepHandler({
  name: 'load',
  run: async () => {
    await query();
    return success({});
  },
});
const flaky = defineStepHandler({
  name: 'flaky',
  run: async ({ attempt }) => {
    await query();
    return attempt === 1
      ? error({ type: 'Busy', message: 'busy', retryable: true })
      : success({ ok: 1 });
  },
});
const order = defineTask({
  name: 'order',
  steps: [
    { name: 'charge', handler: flaky, retry: { backoffBaseMs: 5 } },
    {
      name: 'divide',
      type: 'batchable',
      handler: divide,
      batchConfig: { batchSize: 1, workerTemplate: 'rows' },
    },
    { name: 'rows', type: 'batch_worker', handler: load, dependencies: ['divide'] },
  ],
});

const querying = (name: string, quick: boolean) =>
  defineOperation({ name, quick, run: async () => query().then(() => ({})) });
const flakyQuick = defineOperation({
  name: 'flaky-quick',
  quick: true,
  retry: { initialInterval: 5 },
  run: async ({ attempt }) => {
    await query();
    if (attempt === 1) throw new Error('again');
    return {};
  },
});
const report = definePipeline({
  name: 'report',
  stages: [
    { name: 'slow', operations: [querying('one', false), querying('two', false)] },
    { name: 'fast', operations: [querying('three', true), flakyQuick] },
  ],
});

describe('the span of an attempt', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  let env: TestEnvironment;

  beforeAll(async () => {
    provider.register();
    env = await createTestEnvironment({
      tasks: [order],
      pipelines: [report],
      subscribers: [openTelemetry()],
      env: { TEMPORAL_ADDRESS: temporal.address },
    });
  }, 60_000);

  afterAll(async () => {
    await env.stop();
    await provider.shutdown();
    trace.disable();
    context.disable();
  });

  it('is the parent of what steps and workers of batches trace, in each attempt', async () => {
    await env.engine.execute('order', {});
    expect(parentsOfQueries(exporter)).toEqual([
      'step charge 1',
      'step charge 2',
      'step divide 1',
      'step rows 1',
      'step rows 1',
    ]);
  });

  it('is the parent of what operations trace, beside each other and quick ones, too', async () => {
    await env.engine.execute('report', {});
    expect(parentsOfQueries(exporter)).toEqual([
      'operation fast.flaky-quick 1',
      'operation fast.flaky-quick 2',
      'operation fast.three 1',
      'operation slow.one 1',
      'operation slow.two 1',
    ]);
  });

  it('is not active outside of it', () => {
    expect(trace.getActiveSpan()).toBeUndefined();
  });
});

describe('openTelemetry', () => {
  it('leaves alone what else is in the context, and traces nothing below a run that is not sampled', () => {
    const exporter = new InMemorySpanExporter();
    const provider = new NodeTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    });
    provider.register();
    try {
      const { handle, around } = openTelemetry({
        tracer: provider.getTracer('t'),
        sampleRatio: 0,
      });
      const key = createContextKey('tenant');
      const event = {
        event_type: 'step.execution.started',
        task_uuid: '01J',
        step_uuid: '01J.charge',
        payload: { run_id: 'task/order/01J', kind: 'task', name: 'order', step: 'charge' },
        timestamp: new Date(0).toISOString(),
      };
      const found: unknown[] = [];
      const look = (): void => {
        trace.getTracer('database').startSpan('query').end();
        const active = trace.getActiveSpan();
        found.push([context.active().getValue(key), active?.isRecording()]);
      };
      // It uses none of the subscriber's context.
      const none = undefined as never;
      context.with(context.active().setValue(key, 'acme'), () => {
        around?.(event, look, none);
        handle(event, none);
        around?.(event, look, none);
      });
      expect(found).toEqual([
        ['acme', undefined],
        ['acme', false],
      ]);
      // Only what was made where nothing was active.
      expect(exporter.getFinishedSpans()).toHaveLength(1);
    } finally {
      trace.disable();
      context.disable();
    }
  });
});

/** The name and the attempt of the span above each query, sorted; forgets the spans. */
function parentsOfQueries(exporter: InMemorySpanExporter): readonly string[] {
  const spans = exporter.getFinishedSpans();
  exporter.reset();
  const above = ({ parentSpanContext: parent }: ReadableSpan): ReadableSpan | undefined =>
    spans.find((span) => span.spanContext().spanId === parent?.spanId);
  return spans
    .filter(({ name }) => name === 'query')
    .map((span) => {
      const parent = above(span);
      expect(span.spanContext().traceId).toBe(parent?.spanContext().traceId);
      return `${String(parent?.name)} ${String(parent?.attributes['millrace.attempt'])}`;
    })
    .sort();
}
