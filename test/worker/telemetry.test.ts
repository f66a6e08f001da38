import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import {
  defineOperation,
  definePipeline,
  defineStepHandler,
  defineTask,
  error,
  success,
} from 'millrace';
import { openTelemetry } from 'millrace/opentelemetry';
import { prometheus } from 'millrace/prometheus';
import { createTestEnvironment, type TestEnvironment } from 'millrace/testing';
import { Registry } from 'prom-client';
import { configOf, useServers } from '../support/http-api.js';
import { useTemporal } from '../support/temporal.js';
import { useWorkflowThreads } from '../support/workflow-threads.js';

useWorkflowThreads();
const temporal = useTemporal();

const pay = defineStepHandler({
  name: 'pay',
  run: ({ attempt }) =>
    attempt === 1 ? error({ type: 'Busy', message: 'busy', retryable: true }) : success({ ok: 1 }),
});
const order = defineTask({
  name: 'order',
  steps: [
    {
      name: 'charge',
      handler: pay,
      retry: { backoffBaseMs: 5 },
      publishesEvents: [{ name: 'payment.charged' }],
    },
  ],
});
const broken = defineOperation({
  name: 'broken',
  retry: { maximumAttempts: 1 },
  run: () => {
    throw new TypeError('no such thing');
  },
});
const failing = definePipeline({ name: 'failing', stages: [{ name: 's', operations: [broken] }] });

describe('telemetry of a worker', () => {
  const registry = new Registry();
  const spans = new InMemorySpanExporter();
  const exported = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const meters = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter: exported })],
  });
  let env: TestEnvironment;
  let orderId = '';

  beforeAll(async () => {
    env = await createTestEnvironment({
      tasks: [order],
      pipelines: [failing],
      subscribers: [
        prometheus({ registry }),
        openTelemetry({ tracer: tracers.getTracer('t'), meter: meters.getMeter('m') }),
      ],
      env: { TEMPORAL_ADDRESS: temporal.address },
    });
    const { run } = await env.engine.execute('order', {});
    orderId = run.id;
    await env.engine.execute('failing', {}).catch(() => undefined);
  }, 60_000);

  afterAll(async () => {
    await env.stop();
    await tracers.shutdown();
    await meters.shutdown();
  });

  it('counts and times runs, attempts and the events of steps for Prometheus', async () => {
    const text = await registry.metrics();
    const lines = text
      .split('\n')
      .filter((line) => !/^#|_bucket|_sum|_count/.test(line) && line !== '');
    expect(lines.sort()).toEqual([
      'millrace_attempts_in_progress{kind="pipeline",name="failing",step="s.broken"} 0',
      'millrace_attempts_in_progress{kind="task",name="order",step="charge"} 0',
      'millrace_attempts_total{kind="pipeline",name="failing",step="s.broken",outcome="failed"} 1',
      'millrace_attempts_total{kind="task",name="order",step="charge",outcome="completed"} 1',
      'millrace_attempts_total{kind="task",name="order",step="charge",outcome="retried"} 1',
      'millrace_domain_events_total{event="payment.charged"} 1',
      'millrace_runs_ended_total{kind="pipeline",name="failing",outcome="failed"} 1',
      'millrace_runs_ended_total{kind="task",name="order",outcome="completed"} 1',
      'millrace_runs_started_total{kind="pipeline",name="failing"} 1',
      'millrace_runs_started_total{kind="task",name="order"} 1',
    ]);
    expect(text).toContain(
      'millrace_run_duration_seconds_count{kind="task",name="order",outcome="completed"} 1',
    );
    expect(text).toContain(
      'millrace_attempt_duration_seconds_count{kind="task",name="order",step="charge",outcome="retried"} 1',
    );
  });

  it('is registered once, however many workers of a process share a registry', () => {
    expect(() => [prometheus({ registry }), prometheus({ registry })]).not.toThrow();
  });

  it('makes spans for OpenTelemetry, all of a run in one trace', () => {
    const [first, second, run] = spansOf(spans, orderId);
    expect([first, second, run].map((span) => span?.name)).toEqual([
      'step charge',
      'step charge',
      'task order',
    ]);
    const traceIds = new Set([first, second, run].map((span) => span?.spanContext().traceId));
    expect(traceIds.size).toBe(1);
    expect(first).toMatchObject({
      status: { code: SpanStatusCode.ERROR, message: 'busy' },
      attributes: {
        'millrace.kind': 'task',
        'millrace.name': 'order',
        'millrace.run_id': orderId,
        'millrace.step': 'charge',
        'millrace.attempt': 1,
        'millrace.outcome': 'failed',
        'error.type': 'Busy',
      },
    });
    expect(second?.status.code).toBe(SpanStatusCode.UNSET);
    expect(second?.events.map(({ name }) => name)).toEqual(['payment.charged']);
    expect(run?.attributes).toMatchObject({ 'millrace.outcome': 'completed' });
    expect(Number(run?.duration[0]) * 1e9 + Number(run?.duration[1])).toBeGreaterThan(0);
  });

  it('measures for OpenTelemetry', async () => {
    await meters.forceFlush();
    const found = exported
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
    const names = new Set(found.map(({ descriptor }) => descriptor.name));
    expect([...names].sort()).toEqual([
      'millrace.attempt.duration',
      'millrace.attempts.in_progress',
      'millrace.domain_events',
      'millrace.run.duration',
    ]);
    const progress = found.find(({ descriptor }) => descriptor.name.endsWith('in_progress'));
    expect(progress?.dataPoints.map(({ value }) => value)).toEqual([0, 0]);
  });
});

describe('openTelemetry', () => {
  it('samples by the ratio that it is given, the same of a run in each process', () => {
    const exporter = new InMemorySpanExporter();
    const tracers = new BasicTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    });
    const tracer = tracers.getTracer('t');
    const sampled = (): readonly unknown[] => {
      exporter.reset();
      const { handle } = openTelemetry({ tracer, sampleRatio: 0.5 });
      for (let at = 0; at < 1_000; at += 1)
        handle(
          {
            event_type: 'task.execution.completed',
            task_uuid: `run-${String(at)}`,
            payload: { run_id: `task/order/run-${String(at)}`, kind: 'task', name: 'order' },
            timestamp: new Date(0).toISOString(),
          },
          // It uses none of it.
          undefined as never,
        );
      return exporter.getFinishedSpans().map(({ attributes }) => attributes['millrace.run_id']);
    };
    const first = sampled();
    expect(first.length).toBeGreaterThan(400);
    expect(first.length).toBeLessThan(600);
    expect(sampled()).toEqual(first);
    expect(exporter.getFinishedSpans()[0]?.spanContext().traceFlags).toBe(TraceFlags.SAMPLED);
  });

  it('refuses a ratio that is none', () => {
    for (const sampleRatio of [-0.1, 1.1, NaN])
      expect(() => openTelemetry({ sampleRatio })).toThrow(RangeError);
  });
});

function spansOf(exporter: InMemorySpanExporter, runId: string): readonly ReadableSpan[] {
  return exporter
    .getFinishedSpans()
    .filter(({ attributes }) => attributes['millrace.run_id'] === runId);
}

describe('GET /metrics', () => {
  const serve = useServers();

  it('serves the metrics of the process where the configuration says so, and to whom the API is open', async () => {
    await using env = await createTestEnvironment({
      tasks: [order],
      config: { metrics: { enabled: true } },
      env: { TEMPORAL_ADDRESS: temporal.address },
    });
    await env.engine.execute('order', {});
    const open = await serve(env.engine, { metrics: { enabled: true } });
    const answer = await fetch(`${open.url}/metrics`);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await answer.text();
    expect(text).toContain(
      'millrace_runs_ended_total{kind="task",name="order",outcome="completed"} 1',
    );
    expect(text).toContain('process_cpu_seconds_total');
    const again = await serve(env.engine, {
      metrics: { enabled: true },
      apiAuthentication: () => false,
    });
    expect((await fetch(`${again.url}/metrics`)).status).toBe(401);
    const off = await serve(env.engine, {});
    expect((await fetch(`${off.url}/metrics`)).status).toBe(404);
    expect(configOf().metrics).toEqual({ enabled: false });
  });
});
