import type { TaskStep } from '../../../src/task/task.js';
import type { TaskSteps } from '../../../src/task/task-steps.js';

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let at = seed;
  return () => {
    at = (at + 0x6d2b79f5) | 0;
    let mixed = Math.imul(at ^ (at >>> 15), 1 | at);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What is random, the same for the same seed. */
export class Chance {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = randomNumbers(seed);
  }

  is(probability: number): boolean {
    return this.#next() < probability;
  }

  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  one<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new RangeError('nothing to choose from');
    return found;
  }

  some<T>(list: readonly T[], probability: number): readonly T[] {
    return list.filter(() => this.is(probability));
  }
}

const STRATEGIES = ['continue_on_failure', 'fail_fast', 'isolate'] as const;

/** Up to fifteen steps that depend on those before them. */
export function randomSteps(chance: Chance): readonly TaskStep[] {
  const size = 1 + chance.below(15);
  const steps: TaskStep[] = [];
  let decisions = 0;
  while (steps.length < size) {
    const name = `s${String(steps.length)}`;
    const before = steps.filter(({ type }) => type !== 'batchable').map((step) => step.name);
    const dependencies = chance.some(before.slice(-6), 0.35);
    const kind = chance.below(10);
    if (kind < 3 && decisions < 3) {
      decisions += 1;
      steps.push({ name, type: 'decision', dependencies });
    } else if (kind < 5 && dependencies.length > 0) {
      steps.push({ name, type: 'deferred_convergence', dependencies });
    } else if (kind === 5) {
      const worker = `w${String(steps.length)}`;
      const failureStrategy = chance.one(STRATEGIES);
      const batchConfig = { workerTemplate: worker, parallelism: 2, failureStrategy };
      steps.push({ name, type: 'batchable', dependencies, batchConfig });
      steps.push({ name: worker, type: 'batch_worker', dependencies: [name] });
    } else if (kind === 6) {
      steps.push({ name, type: 'approval', dependencies });
    } else {
      steps.push({ name, dependencies });
    }
  }
  const isChosenFrom = (name: string): boolean =>
    steps.some(
      ({ type, dependencies }) =>
        type !== 'deferred_convergence' && dependencies?.includes(name) === true,
    );
  return steps.map((step) =>
    step.type === 'decision' && !isChosenFrom(step.name) ? { ...step, type: 'standard' } : step,
  );
}

/** Runs a task to its end; `look` sees it at every moment. */
export function run(
  first: TaskSteps,
  chance: Chance,
  failureRate: number,
  look: (steps: TaskSteps) => TaskSteps,
): TaskSteps {
  let steps = first;
  for (let moments = 0; ; moments += 1) {
    if (moments > 1_000) throw new Error('it does not end');
    steps = look(steps);
    if (steps.end !== undefined) return steps;
    const waiting = steps.ready;
    const running = steps.inProgress;
    const [stopped] = steps.toBeCancelled;
    if (stopped !== undefined && chance.is(0.7)) {
      steps.cancel(stopped.name);
    } else if (waiting.length > 0 && (running.length === 0 || chance.is(0.6))) {
      steps.start(chance.one(waiting).name);
    } else {
      const { name, step } = chance.one(running);
      if (chance.is(failureRate)) {
        steps.fail(name, { type: 'Broken', message: `${name} broke`, retryable: false });
      } else {
        const ranges = Array.from({ length: chance.below(5) }, (_, at) => ({
          start: at,
          end: at + 1,
        }));
        steps.complete(name, {
          result: name,
          ...(step.branches !== undefined && { branches: chance.some(step.branches, 0.6) }),
          ...(step.type === 'batchable' && { ranges }),
        });
      }
    }
  }
}
