import { createHash } from 'node:crypto';
import {
  context,
  metrics,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Meter,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { LRUCache } from 'lru-cache';
import { eventStory, type EventStory } from '../../src/event/event-story.js';
import type { MillraceEvent } from '../../src/event/event.js';
import { defineSubscriber, type Subscriber } from '../../src/event/subscriber.js';
import { VERSION } from '../../src/version.js';

/** What {@link openTelemetry} takes. */
export interface OpenTelemetryOptions {
  /** Makes the spans; the one that is registered globally for `millrace` unless set. */
  readonly tracer?: Tracer;
  /** Makes the instruments; the one that is registered globally for `millrace` unless set. */
  readonly meter?: Meter;
  /**
   * Which part of the runs has spans, from 0 to 1; all of them unless set. Each process comes to the same answer for a run: it follows from the
   * run's id.
   */
  readonly sampleRatio?: number;
}

/** Most attempts whose spans are open. The oldest are ended then: their processes were too busy, or did not tell of their ends. So is one that begins again. */
const MAX_OPEN_SPANS = 10_000;

/**
 * A subscriber that makes spans and metrics for OpenTelemetry. The span of an attempt is active in its code: spans that are made there are its
 * children, where the SDK has a context manager. All spans of a run are of one trace, whichever process makes them: the ids of the
 * trace follow from the run's. The span of the run itself is made at its end.
 *
 * The package `@opentelemetry/api` is the project's own; so are the SDK and its exporters.
 *
 * @throws RangeError where `sampleRatio` is none
 *
 * @example
 * ```ts
 * export const telemetry = openTelemetry();
 * ```
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Subscriber {
  const { sampleRatio = 1 } = options;
  if (!(sampleRatio >= 0 && sampleRatio <= 1))
    throw new RangeError(`sampleRatio is ${String(sampleRatio)}; write a number from 0 to 1.`);
  const spans = new Spans(options.tracer ?? trace.getTracer('millrace', VERSION), sampleRatio);
  // An SDK may be registered after this module was loaded, and global meters, unlike tracers, do not wait for one.
  let instruments: Instruments | undefined;
  const { site: _, ...subscriber } = defineSubscriber({
    name: 'opentelemetry',
    description: 'Spans and metrics of runs, steps and operations.',
    events: ['**'],
    handle: (event: MillraceEvent) => {
      const story = eventStory(event);
      instruments ??= instrumentsOf(options.meter ?? metrics.getMeter('millrace', VERSION));
      measure(instruments, story);
      spans.tell(event, story);
    },
    around: (event, run) => {
      spans.activate(event, run);
    },
  });
  return subscriber;
}

type Run = Extract<EventStory, { of: 'run' }>;
type Attempt = Extract<EventStory, { of: 'attempt' }>;

/** The spans of what happens in this process. */
class Spans {
  readonly #tracer: Tracer;
  readonly #ratio: number;
  readonly #open = new LRUCache<string, Span>({
    max: MAX_OPEN_SPANS,
    dispose: (span, _key, reason) => {
      if (reason !== 'delete') span.end();
    },
  });

  constructor(tracer: Tracer, ratio: number) {
    this.#tracer = tracer;
    this.#ratio = ratio;
  }

  tell(event: MillraceEvent, story: EventStory): void {
    if (story.of === 'domain') {
      this.#addEvent(event, story.type);
      return;
    }
    const at = new Date(event.timestamp).getTime();
    if (story.of === 'attempt') this.#attempt(event, story, at);
    else if (story.phase !== 'started') this.#run(event, story, at);
  }

  /** Runs code with the span of its attempt as the active one, beside whatever else is in the context. */
  activate(event: MillraceEvent, run: () => void): void {
    const story = eventStory(event);
    const span = story.of === 'attempt' ? this.#open.get(keyOf(event, story.attempt)) : undefined;
    if (span === undefined) run();
    else context.with(trace.setSpan(context.active(), span), run);
  }

  #attempt(event: MillraceEvent, story: Attempt, at: number): void {
    const { task_uuid: task } = event;
    const key = keyOf(event, story.attempt);
    if (story.phase === 'started') {
      const options = { startTime: at, attributes: attemptAttributes(story) };
      this.#open.set(
        key,
        this.#tracer.startSpan(`${story.subject} ${story.place}`, options, this.#parent(task)),
      );
      return;
    }
    const startTime = at - (story.durationMs ?? 0);
    // An approval may have begun in another process.
    const span =
      this.#open.get(key) ??
      this.#tracer.startSpan(
        `${story.subject} ${story.place}`,
        { startTime, attributes: attemptAttributes(story) },
        this.#parent(task),
      );
    this.#open.delete(key);
    end(span, story, at);
  }

  #run({ task_uuid: task }: MillraceEvent, story: Run, at: number): void {
    const startTime = at - (story.durationMs ?? 0);
    const attributes = runAttributes(story);
    const name = `${story.kind} ${story.definition}`;
    end(this.#tracer.startSpan(name, { startTime, attributes }, this.#parent(task)), story, at);
  }

  #addEvent(event: MillraceEvent, type: string): void {
    // Those who publish it say of which attempt it is.
    const { attempt = 1 } = event.payload as { readonly attempt?: number };
    this.#open.get(keyOf(event, attempt))?.addEvent(type);
  }

  /** What a run's spans have above them in every process. */
  #parent(taskUuid: string): Context {
    const hash = createHash('sha256').update(taskUuid).digest('hex');
    // As OpenTelemetry's own sampler by ratio: by the last bytes of the trace's id.
    const sampled = parseInt(hash.slice(24, 32), 16) < this.#ratio * 0x1_0000_0000;
    return trace.setSpanContext(ROOT_CONTEXT, {
      traceId: hash.slice(0, 32),
      spanId: hash.slice(32, 48),
      traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
      isRemote: true,
    });
  }
}

/** One attempt in this process. */
function keyOf({ task_uuid: task, step_uuid: step }: MillraceEvent, attempt: number): string {
  return `${step ?? task} ${String(attempt)}`;
}

function end(span: Span, { phase, error }: Run | Attempt, at: number): void {
  span.setAttribute('millrace.outcome', phase);
  if (error !== undefined) {
    span.recordException({ name: error.type, message: error.message }, at);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    span.setAttribute('error.type', error.type);
  }
  span.end(at);
}

function runAttributes({ kind, definition, runId }: Run | Attempt): Attributes {
  return { 'millrace.kind': kind, 'millrace.name': definition, 'millrace.run_id': runId };
}

function attemptAttributes(story: Attempt): Attributes {
  return {
    ...runAttributes(story),
    'millrace.step': story.place,
    'millrace.attempt': story.attempt,
  };
}

type Instruments = ReturnType<typeof instrumentsOf>;

function instrumentsOf(meter: Meter) {
  return {
    runs: meter.createHistogram('millrace.run.duration', {
      description: 'How long runs took, from their start.',
      unit: 's',
    }),
    attempts: meter.createHistogram('millrace.attempt.duration', {
      description: 'How long attempts of steps and operations took.',
      unit: 's',
    }),
    inProgress: meter.createUpDownCounter('millrace.attempts.in_progress', {
      description: 'Attempts of steps and operations that run in this process.',
    }),
    domainEvents: meter.createCounter('millrace.domain_events', {
      description: 'Events that steps of tasks have published.',
    }),
  };
}

function measure(instruments: Instruments, story: EventStory): void {
  if (story.of === 'domain') {
    instruments.domainEvents.add(1, { 'millrace.event': story.type });
    return;
  }
  const labels = { 'millrace.kind': story.kind, 'millrace.name': story.definition };
  const seconds = (story.durationMs ?? 0) / 1_000;
  if (story.of === 'run') {
    if (story.phase !== 'started')
      instruments.runs.record(seconds, { ...labels, 'millrace.outcome': story.phase });
    return;
  }
  const of = { ...labels, 'millrace.step': story.place };
  if (story.runsHere) instruments.inProgress.add(story.phase === 'started' ? 1 : -1, of);
  if (story.phase === 'started') return;
  const outcome = story.willRetry ? 'retried' : story.phase;
  instruments.attempts.record(seconds, { ...of, 'millrace.outcome': outcome });
}
