import { describe, expect, it } from '@jest/globals';
import type { TaskPlan } from '../../../src/task/plan.js';
import { TaskSteps } from '../../../src/task/task-steps.js';
import { Chance, randomSteps, run } from './random-task.js';
import { answersOf, carried, planOf } from './step-plans.js';

type Settled = 'done' | 'failed' | 'left out' | 'open';

/** What the rules say of a whole task, written down a second time, from what has happened to it. */
class Rules {
  constructor(
    private readonly plan: TaskPlan,
    private readonly steps: TaskSteps,
  ) {}

  /** True only where it is certain. */
  isLeftOut(name: string): boolean {
    const step = this.#step(name);
    const ways = step.dependencies.map((dependency) => {
      if (this.isLeftOut(dependency)) return true;
      const chosen = this.steps.of(dependency)?.branches;
      const isChoice =
        this.#step(dependency).type === 'decision' && step.type !== 'deferred_convergence';
      return isChoice && chosen !== undefined && !chosen.includes(name);
    });
    return step.type === 'deferred_convergence' ? ways.every(Boolean) : ways.some(Boolean);
  }

  settled(name: string): Settled {
    if (this.isLeftOut(name)) return 'left out';
    const step = this.#step(name);
    const divider = this.plan.steps.find(({ batch }) => batch?.worker === name);
    if (divider === undefined) return this.#own(name);
    const { ranges } = this.steps.of(divider.name) ?? {};
    if (ranges === undefined) return this.#own(divider.name) === 'failed' ? 'failed' : 'open';
    const workers = ranges.map((_, at) =>
      this.#own(`${step.name}_${String(at + 1).padStart(3, '0')}`),
    );
    if (divider.batch?.failureStrategy === 'continue_on_failure')
      return workers.every((worker) => worker !== 'open') ? 'done' : 'open';
    if (workers.includes('failed')) return 'failed';
    return workers.every((worker) => worker === 'done') ? 'done' : 'open';
  }

  /** Whether nothing keeps a step from being run, once everything is over that can be. */
  isReachable(name: string): boolean {
    return this.#step(name).dependencies.every((dependency) =>
      ['done', 'left out'].includes(this.settled(dependency)),
    );
  }

  #own(name: string): Settled {
    const status = this.steps.of(name)?.status;
    if (status === 'complete' || status === 'resolved_manually') return 'done';
    return status === 'error' ? 'failed' : 'open';
  }

  #step(name: string): TaskPlan['steps'][number] {
    const step = this.plan.steps.find((other) => other.name === name);
    if (step === undefined) throw new Error(`no step ${name}`);
    return step;
  }
}

function seeds(count: number): readonly number[] {
  return Array.from({ length: count }, (_, seed) => seed + 1);
}

describe('a task of random steps', () => {
  it('ends, and starts nothing before what it depends on, nor what is left out, nor too many at once', () => {
    for (const seed of seeds(200)) {
      const chance = new Chance(seed);
      const plan = planOf(randomSteps(chance));
      run(new TaskSteps(plan), chance, 0.1, (steps) => {
        const rules = new Rules(plan, steps);
        for (const { name, step } of steps.ready) {
          expect([seed, name, steps.of(name)]).toEqual([seed, name, undefined]);
          expect([seed, name, rules.isLeftOut(step.name)]).toEqual([seed, name, false]);
          expect([seed, name, rules.isReachable(step.name)]).toEqual([seed, name, true]);
        }
        for (const { name } of plan.steps.filter(({ type }) => type === 'batch_worker')) {
          const atOnce = [...steps.ready, ...steps.inProgress].filter(
            ({ step }) => step.name === name,
          );
          expect(atOnce.length).toBeLessThanOrEqual(2);
        }
        return steps;
      });
    }
  });

  it('has run everything in the end but what was left out or depends on a failure', () => {
    for (const seed of seeds(200)) {
      const chance = new Chance(seed);
      const plan = planOf(randomSteps(chance));
      const steps = run(new TaskSteps(plan), chance, 0.1, (same) => same);
      const rules = new Rules(plan, steps);
      for (const { name, type } of plan.steps) {
        const settled = rules.settled(name);
        const what = [seed, name, settled];
        // Of a worker, what its ranges have come to.
        if (settled === 'open')
          expect([...what, rules.isReachable(name)]).toEqual([...what, false]);
        if (type !== 'batch_worker' && settled === 'left out')
          expect([...what, steps.statusOf(name)]).toEqual([...what, 'skipped']);
        if (type !== 'batch_worker' && settled === 'open')
          expect([...what, steps.statusOf(name)]).toEqual([...what, 'blocked']);
      }
      const hasFailed = plan.steps.some(({ name }) => rules.settled(name) === 'failed');
      expect([seed, steps.end]).toEqual([seed, hasFailed ? 'error' : 'complete']);
    }
  });

  it('does the same when its state is carried over JSON at every moment', () => {
    for (const seed of seeds(200)) {
      const chance = new Chance(seed);
      const plan = planOf(randomSteps(chance));
      run(new TaskSteps(plan), chance, 0.15, (steps) => {
        const next = carried(plan, steps);
        expect(answersOf(next)).toEqual(answersOf(steps));
        return next;
      });
    }
  });

  it('completes when all that has failed is retried, as often as it takes', () => {
    for (const seed of seeds(100)) {
      const chance = new Chance(seed);
      const plan = planOf(randomSteps(chance));
      let steps = new TaskSteps(plan);
      for (let rounds = 0; steps.end === undefined; rounds += 1) {
        // In the end nothing fails any more.
        steps = run(steps, chance, rounds < 5 ? 0.2 : 0, (same) => same);
        for (const { name } of steps.failed) steps.retry(name);
      }
      expect([seed, steps.end]).toEqual([seed, 'complete']);
      const rules = new Rules(plan, steps);
      for (const { name } of plan.steps)
        expect([seed, name, ['done', 'left out'].includes(rules.settled(name))]).toEqual([
          seed,
          name,
          true,
        ]);
    }
  });
});
