import { describe, expect, it } from '@jest/globals';
import type { TaskStep } from '../../../src/task/task.js';
import { TaskSteps } from '../../../src/task/task-steps.js';
import { choose, fail, finish, planOf, ready, taskOf } from './step-plans.js';

describe('a decision', () => {
  const order = [
    { name: 'look', type: 'decision' },
    { name: 'small', dependencies: ['look'] },
    { name: 'large', dependencies: ['look'] },
    { name: 'insure', dependencies: ['large'] },
    { name: 'gift', dependencies: ['look'] },
    { name: 'done', type: 'deferred_convergence', dependencies: ['small', 'insure', 'gift'] },
  ] as const satisfies readonly TaskStep[];

  it('has for its branches the steps that depend on it, but for convergences', () => {
    const plan = planOf([
      ...order,
      { name: 'audit', type: 'deferred_convergence', dependencies: ['look'] },
    ]);
    expect(plan.steps[0]?.branches).toEqual(['small', 'large', 'gift']);
  });

  it('lets nothing start that depends on it before it is done', () => {
    const steps = taskOf(...order);
    expect(ready(steps)).toEqual(['look']);
    steps.start('look');
    expect(ready(steps)).toEqual([]);
    expect(steps.statusOf('large')).toBe('pending');
  });

  it('lets those start that it has chosen, and leaves out the others and what follows them', () => {
    const steps = taskOf(...order);
    choose(steps, 'look', 'small');
    expect(ready(steps)).toEqual(['small']);
    for (const name of ['large', 'insure', 'gift']) expect(steps.statusOf(name)).toBe('skipped');
    expect(steps.statusOf('done')).toBe('pending');
  });

  it('may choose several, for all of which a convergence waits', () => {
    const steps = taskOf(...order);
    choose(steps, 'look', 'large', 'gift');
    expect(ready(steps)).toEqual(['large', 'gift']);
    finish(steps, 'gift');
    expect(ready(steps)).toEqual(['large']);
    finish(steps, 'large');
    expect(ready(steps)).toEqual(['insure']);
    finish(steps, 'insure');
    expect(ready(steps)).toEqual(['done']);
    finish(steps, 'done');
    expect(steps.end).toBe('complete');
  });

  it('may choose none: what depends on it is left out, with the convergence', () => {
    const steps = taskOf(...order);
    choose(steps, 'look');
    expect(ready(steps)).toEqual([]);
    for (const { name } of order.slice(1)) expect(steps.statusOf(name)).toBe('skipped');
    expect(steps.end).toBe('complete');
    expect(steps.results).toEqual({ look: { branches: [] } });
  });

  it('leaves out no convergence that depends on it directly', () => {
    const steps = taskOf(...order, {
      name: 'audit',
      type: 'deferred_convergence',
      dependencies: ['look', 'large', 'small'],
    });
    choose(steps, 'look');
    expect(ready(steps)).toEqual(['audit']);
    expect(steps.statusOf('done')).toBe('skipped');
  });

  it('gives a convergence the results of those only that were chosen', () => {
    const plan = planOf(order);
    const steps = new TaskSteps(plan);
    choose(steps, 'look', 'small');
    finish(steps, 'small');
    const done = plan.steps.find(({ name }) => name === 'done');
    expect(done && steps.dependenciesOf(done)).toEqual([
      { name: 'small', step: 'small', result: 'of small' },
    ]);
  });

  it('blocks what depends on it when it fails: nobody knows what would have been chosen', () => {
    const steps = taskOf(...order, { name: 'other' });
    fail(steps, 'look');
    expect(ready(steps)).toEqual(['other']);
    for (const { name } of order.slice(1)) expect(steps.statusOf(name)).toBe('blocked');
    finish(steps, 'other');
    expect(steps.end).toBe('error');
  });

  it('blocks a convergence when one that it has chosen fails', () => {
    const steps = taskOf(...order);
    choose(steps, 'look', 'small', 'gift');
    fail(steps, 'small');
    finish(steps, 'gift');
    expect(steps.statusOf('done')).toBe('blocked');
    expect(steps.end).toBe('error');
    steps.resolve('small', { result: 1 });
    expect(ready(steps)).toEqual(['done']);
  });

  it('leaves out a step that depends on two branches, unless both are chosen', () => {
    const both: readonly TaskStep[] = [
      ...order,
      { name: 'both', dependencies: ['small', 'large'] },
    ];
    const one = taskOf(...both);
    choose(one, 'look', 'small');
    expect(one.statusOf('both')).toBe('skipped');
    const two = taskOf(...both);
    choose(two, 'look', 'small', 'large');
    finish(two, 'small', 'large');
    expect(ready(two)).toEqual(['insure', 'both']);
  });

  it('does not start a branch before the other steps that it depends on are done', () => {
    const steps = taskOf(
      { name: 'look', type: 'decision' },
      { name: 'stock' },
      { name: 'send', dependencies: ['look', 'stock'] },
    );
    choose(steps, 'look', 'send');
    expect(ready(steps)).toEqual(['stock']);
    finish(steps, 'stock');
    expect(ready(steps)).toEqual(['send']);
  });
});

describe('a convergence', () => {
  it('waits for a decision that is still open, though another branch of it is done', () => {
    const steps = taskOf(
      { name: 'stock' },
      { name: 'look', type: 'decision' },
      { name: 'insure', dependencies: ['look'] },
      { name: 'join', type: 'deferred_convergence', dependencies: ['stock', 'insure'] },
    );
    finish(steps, 'stock');
    expect(ready(steps)).toEqual(['look']);
    expect(steps.statusOf('join')).toBe('pending');
    choose(steps, 'look');
    expect(ready(steps)).toEqual(['join']);
  });

  it('is followed by steps that are left out only where it is', () => {
    const plan = planOf([
      { name: 'look', type: 'decision' },
      { name: 'a', dependencies: ['look'] },
      { name: 'b', dependencies: ['look'] },
      { name: 'join', type: 'deferred_convergence', dependencies: ['a', 'b'] },
      { name: 'mail', dependencies: ['join'] },
    ]);
    const steps = new TaskSteps(plan);
    choose(steps, 'look', 'b');
    finish(steps, 'b', 'join');
    expect(ready(steps)).toEqual(['mail']);
    const none = new TaskSteps(plan);
    choose(none, 'look');
    expect(none.statusOf('mail')).toBe('skipped');
    expect(none.end).toBe('complete');
  });

  it('of steps without a decision waits for all of them', () => {
    const steps = taskOf(
      { name: 'a' },
      { name: 'b' },
      { name: 'join', type: 'deferred_convergence', dependencies: ['a', 'b'] },
    );
    finish(steps, 'a');
    expect(ready(steps)).toEqual(['b']);
    finish(steps, 'b');
    expect(ready(steps)).toEqual(['join']);
  });
});

describe('nested decisions', () => {
  const nested: readonly TaskStep[] = [
    { name: 'outer', type: 'decision' },
    { name: 'plain', dependencies: ['outer'] },
    { name: 'inner', type: 'decision', dependencies: ['outer'] },
    { name: 'x', dependencies: ['inner'] },
    { name: 'y', dependencies: ['inner'] },
    { name: 'inside', type: 'deferred_convergence', dependencies: ['inner', 'x', 'y'] },
    { name: 'join', type: 'deferred_convergence', dependencies: ['plain', 'inside'] },
  ];

  it('are left out with all that follows them where the outer one does not choose them', () => {
    const steps = taskOf(...nested);
    choose(steps, 'outer', 'plain');
    for (const name of ['inner', 'x', 'y', 'inside']) expect(steps.statusOf(name)).toBe('skipped');
    finish(steps, 'plain');
    expect(ready(steps)).toEqual(['join']);
  });

  it('keep the outer convergence waiting until the inner one is done', () => {
    const steps = taskOf(...nested);
    choose(steps, 'outer', 'inner', 'plain');
    finish(steps, 'plain');
    expect(ready(steps)).toEqual(['inner']);
    choose(steps, 'inner', 'y');
    expect(steps.statusOf('x')).toBe('skipped');
    expect(ready(steps)).toEqual(['y']);
    finish(steps, 'y');
    expect(ready(steps)).toEqual(['inside']);
    finish(steps, 'inside');
    expect(ready(steps)).toEqual(['join']);
    finish(steps, 'join');
    expect(steps.end).toBe('complete');
  });

  it('leave out a branch of the inner one that depends on an outer branch, too, as soon as that is known', () => {
    const steps = taskOf(
      { name: 'outer', type: 'decision' },
      { name: 'other', type: 'decision' },
      { name: 'p', dependencies: ['outer'] },
      { name: 'q', dependencies: ['outer'] },
      { name: 'r', dependencies: ['p', 'other'] },
    );
    choose(steps, 'outer', 'q');
    // Whatever the other decision will choose.
    expect(steps.statusOf('r')).toBe('skipped');
  });
});
