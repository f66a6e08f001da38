import {
  Counter,
  Gauge,
  Histogram,
  register,
  type CounterConfiguration,
  type GaugeConfiguration,
  type HistogramConfiguration,
  type Registry,
} from 'prom-client';
import { eventStory, type EventStory } from '../../src/event/event-story.js';
import type { MillraceEvent } from '../../src/event/event.js';
import { defineSubscriber, type Subscriber } from '../../src/event/subscriber.js';

/** What {@link prometheus} takes. */
export interface PrometheusOptions {
  /** Where the metrics are registered; prom-client's own registry unless set. */
  readonly registry?: Registry;
}

/** Seconds: of an attempt, and of a run, which may take days. */
const ATTEMPT_BUCKETS = [0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120, 600, 3_600];
const RUN_BUCKETS = [0.05, 0.25, 1, 5, 30, 120, 600, 3_600, 6 * 3_600, 24 * 3_600, 7 * 24 * 3_600];

const RUN_LABELS = ['kind', 'name'] as const;
const ATTEMPT_LABELS = ['kind', 'name', 'step'] as const;

/**
 * A subscriber that counts and times runs, steps and operations for Prometheus. Its labels are names of definitions and of their steps, so that
 * their number does not grow with that of runs.
 *
 * @example
 * ```ts
 * export const metrics = prometheus({ registry });
 * ```
 */
export function prometheus({ registry = register }: PrometheusOptions = {}): Subscriber {
  const metrics = metricsIn(registry);
  const { site: _, ...subscriber } = defineSubscriber({
    name: 'prometheus',
    description: 'Metrics of runs, steps and operations.',
    events: ['**'],
    handle: (event: MillraceEvent) => {
      record(metrics, eventStory(event));
    },
  });
  return subscriber;
}

type Metrics = ReturnType<typeof metricsIn>;

function metricsIn(registry: Registry) {
  return {
    started: counter(registry, {
      name: 'millrace_runs_started_total',
      help: 'Runs that were started.',
      labelNames: RUN_LABELS,
    }),
    ended: counter(registry, {
      name: 'millrace_runs_ended_total',
      help: 'Runs that ended, by how: completed, failed, cancelled.',
      labelNames: [...RUN_LABELS, 'outcome'] as const,
    }),
    runSeconds: histogram(registry, {
      name: 'millrace_run_duration_seconds',
      help: 'How long runs took, from their start.',
      labelNames: [...RUN_LABELS, 'outcome'] as const,
      buckets: RUN_BUCKETS,
    }),
    attempts: counter(registry, {
      name: 'millrace_attempts_total',
      help: 'Attempts of steps and operations that ended, by how: completed, retried, failed, cancelled.',
      labelNames: [...ATTEMPT_LABELS, 'outcome'] as const,
    }),
    attemptSeconds: histogram(registry, {
      name: 'millrace_attempt_duration_seconds',
      help: 'How long attempts of steps and operations took.',
      labelNames: [...ATTEMPT_LABELS, 'outcome'] as const,
      buckets: ATTEMPT_BUCKETS,
    }),
    inProgress: gauge(registry, {
      name: 'millrace_attempts_in_progress',
      help: 'Attempts of steps and operations that run in this process.',
      labelNames: ATTEMPT_LABELS,
    }),
    domainEvents: counter(registry, {
      name: 'millrace_domain_events_total',
      help: 'Events that steps of tasks have published (publishes_events).',
      labelNames: ['event'] as const,
    }),
  };
}

function record(metrics: Metrics, story: EventStory): void {
  switch (story.of) {
    case 'run':
      recordRun(metrics, story);
      return;
    case 'attempt':
      recordAttempt(metrics, story);
      return;
    case 'domain':
      metrics.domainEvents.inc({ event: story.type });
  }
}

function recordRun(metrics: Metrics, story: Extract<EventStory, { of: 'run' }>): void {
  const labels = { kind: story.kind, name: story.definition };
  if (story.phase === 'started') {
    metrics.started.inc(labels);
    return;
  }
  const ended = { ...labels, outcome: story.phase };
  metrics.ended.inc(ended);
  if (story.durationMs !== undefined) metrics.runSeconds.observe(ended, story.durationMs / 1_000);
}

function recordAttempt(metrics: Metrics, story: Extract<EventStory, { of: 'attempt' }>): void {
  const labels = { kind: story.kind, name: story.definition, step: story.place };
  // An approval waits for a person; no attempt runs in this process, and its end may be told in another one.
  const { inProgress } = metrics;
  if (story.phase === 'started') {
    if (story.runsHere) inProgress.inc(labels);
    return;
  }
  if (story.runsHere) inProgress.dec(labels);
  const outcome = story.willRetry ? 'retried' : story.phase;
  metrics.attempts.inc({ ...labels, outcome });
  if (story.durationMs !== undefined)
    metrics.attemptSeconds.observe({ ...labels, outcome }, story.durationMs / 1_000);
}

/** A registry knows each metric once: several workers of a process share it. */
function counter<L extends string>(
  registry: Registry,
  config: CounterConfiguration<L>,
): Counter<L> {
  const known = registry.getSingleMetric<L>(config.name);
  return known instanceof Counter ? known : new Counter({ ...config, registers: [registry] });
}

function gauge<L extends string>(registry: Registry, config: GaugeConfiguration<L>): Gauge<L> {
  const known = registry.getSingleMetric<L>(config.name);
  return known instanceof Gauge ? known : new Gauge({ ...config, registers: [registry] });
}

function histogram<L extends string>(
  registry: Registry,
  config: HistogramConfiguration<L>,
): Histogram<L> {
  const known = registry.getSingleMetric<L>(config.name);
  return known instanceof Histogram ? known : new Histogram({ ...config, registers: [registry] });
}
