import { setTimeout as delay } from 'node:timers/promises';
import type { Registry } from '../engine/registry.js';
import type { Activity } from '../src/definition/activity.js';
import type { Body } from '../src/pipeline/context.js';
import type { Operation } from '../src/pipeline/operation.js';
import type { StepHandler } from '../src/task/handler.js';

/** A person's code that runs. */
export interface RunningBody {
  readonly kind: 'operation' | 'step handler' | 'activity';
  readonly name: string;
}

const LOOK_INTERVAL_MS = 20;

/** Knows which bodies of a test's definitions are running: an attempt ends when it is cancelled, whatever its body does. */
export class BodyWatch {
  readonly #running = new Set<RunningBody>();

  /** Definitions like these, whose bodies are watched. */
  watching(registry: Registry): Registry {
    const { operations, stepHandlers, activities } = registry;
    return {
      ...registry,
      operations: mapped(operations, (operation) => this.#operation(operation)),
      stepHandlers: mapped(stepHandlers, (handler) => this.#handler(handler)),
      activities: mapped(activities, (activity) => this.#activity(activity)),
    };
  }

  /** Those that have not ended by themselves after so long. */
  async left(graceMs: number): Promise<readonly RunningBody[]> {
    const deadline = Date.now() + graceMs;
    while (this.#running.size > 0 && Date.now() < deadline) await delay(LOOK_INTERVAL_MS);
    return [...this.#running];
  }

  #operation(operation: Operation): Operation {
    const { body, name } = operation;
    const run = this.#watched('operation', name, body.run);
    // The function and the kind are those of the same body.
    return { ...operation, body: { ...body, run } as Body };
  }

  #handler(handler: StepHandler): StepHandler {
    const methods = Object.entries(handler.methods).map(
      ([method, run]) => [method, this.#watched('step handler', handler.name, run)] as const,
    );
    return { ...handler, methods: Object.fromEntries(methods) };
  }

  #activity(activity: Activity): Activity {
    return { ...activity, run: this.#watched('activity', activity.name, activity.run) };
  }

  /** A function like this one; its type, which the kinds of bodies do not have in common, is kept. */
  #watched<F extends (...args: never[]) => unknown>(
    kind: RunningBody['kind'],
    name: string,
    run: F,
  ): F {
    const watched = async (...args: never[]): Promise<unknown> => {
      const running: RunningBody = { kind, name };
      this.#running.add(running);
      try {
        return await run(...args);
      } finally {
        this.#running.delete(running);
      }
    };
    // It takes and gives what the function does; whoever calls bodies waits for what they return.
    return watched as unknown as F;
  }
}

function mapped<T>(items: ReadonlyMap<string, T>, change: (item: T) => T): ReadonlyMap<string, T> {
  return new Map([...items].map(([name, item]) => [name, change(item)]));
}
