import type { ApplicationFailure } from '@temporalio/activity';
import type { EventMaker, EventPublisher } from '../adapters/event/event-bridge.js';
import {
  stepUuid,
  type EventError,
  type EventSubject,
  type ExecutionPhase,
  type MillraceEvent,
} from '../src/event/event.js';
import type { Failure } from '../src/pipeline/failure.js';
import type { RunReference } from '../src/pipeline/context.js';
import { executionIdOf } from '../src/outcome/outcome.js';

/** What the events of one attempt say of it, whatever becomes of it. */
export interface AttemptEventSource<P extends object> {
  readonly subject: Extract<EventSubject, 'step' | 'operation'>;
  readonly run: RunReference;
  /** The name of the step, or of the operation with its stage, in the run. */
  readonly name: string;
  readonly attempt: number;
  /** What only events of this kind say. */
  readonly parts: Partial<P>;
  /** When the attempt began, in milliseconds since the epoch; now unless set. */
  readonly startedAt?: number;
}

/**
 * Publishes how one attempt goes: that it was started, and one of the ways in which it ends.
 *
 * @typeParam P - the payload of its events
 */
export class AttemptEvents<P extends object> {
  readonly #bridge: EventPublisher | undefined;
  readonly #source: AttemptEventSource<P>;
  readonly #startedAt: number;

  constructor(bridge: EventPublisher | undefined, source: AttemptEventSource<P>) {
    this.#bridge = bridge;
    this.#source = source;
    this.#startedAt = source.startedAt ?? Date.now();
  }

  started(): void {
    this.#publish('started', () => ({}));
  }

  /**
   * Publishes that it was started, and runs its code, inside of what subscribers put around it.
   *
   * @returns what the code comes to
   */
  run<T>(code: () => Promise<T>): Promise<T> {
    if (this.#bridge === undefined) return code();
    return this.#bridge.run(this.#type('started'), this.#maker(), code);
  }

  /** @param parts - says what it came to; called only where somebody listens */
  completed(parts: () => Partial<P> = () => ({})): void {
    this.#publish('completed', () => ({ ...this.#duration(), ...parts() }));
  }

  /** @param willRetry - whether another attempt follows */
  failed(failure: Failure, willRetry: boolean, parts: Partial<P> = {}): void {
    this.#publish('failed', () => ({
      ...this.#duration(),
      error: eventError(failure),
      will_retry: willRetry,
      ...parts,
    }));
  }

  cancelled(): void {
    this.#publish('cancelled', () => this.#duration());
  }

  /** An event of another type than `….execution.…`, of the same attempt. */
  other(eventType: string, payload: () => object): void {
    this.#bridge?.publish(eventType, () => this.#event(payload()));
  }

  #publish(phase: ExecutionPhase, payload: () => object): void {
    this.#bridge?.publish(this.#type(phase), this.#maker(payload));
  }

  #type(phase: ExecutionPhase): string {
    return `${this.#source.subject}.execution.${phase}`;
  }

  #maker(payload: () => object = () => ({})): EventMaker {
    return () => this.#event({ ...this.#source.parts, ...payload() });
  }

  #event(payload: object): Omit<MillraceEvent, 'event_type'> {
    const { run, name, attempt } = this.#source;
    const executionId = executionIdOf(run.id);
    return {
      task_uuid: executionId,
      step_uuid: stepUuid(executionId, name),
      payload: { run_id: run.id, kind: run.kind, name: run.name, attempt, ...payload },
      timestamp: new Date().toISOString(),
    };
  }

  #duration(): { readonly duration_ms: number } {
    return { duration_ms: Date.now() - this.#startedAt };
  }
}

/**
 * Publishes that an attempt was stopped.
 *
 * @param handedBack - what the worker that stops has handed back: another attempt follows. Undefined where the attempt was cancelled
 */
export function publishStopped(
  events: AttemptEvents<object>,
  handedBack: ApplicationFailure | undefined,
): void {
  if (handedBack === undefined) {
    events.cancelled();
    return;
  }
  const { type, message } = handedBack;
  events.failed({ type: type ?? 'Error', message, retryable: true }, true);
}

/** What events say of a failure. */
export function eventError({ type, message, retryable }: Failure): EventError {
  return { type, message, retryable };
}
