import { describe, expect, it } from '@jest/globals';
import { TaskSteps } from '../../../src/task/task-steps.js';
import {
  answersOf,
  carried,
  choose,
  divide,
  fail,
  finish,
  planOf,
  ready,
  taskOf,
} from './step-plans.js';

describe('steps that depend on each other', () => {
  const diamond = [
    { name: 'reserve' },
    { name: 'charge' },
    { name: 'pack', dependencies: ['reserve'] },
    { name: 'ship', dependencies: ['charge', 'pack'] },
  ];

  it('are ready together as soon as all are done that they depend on', () => {
    const steps = taskOf(...diamond);
    expect(ready(steps)).toEqual(['reserve', 'charge']);
    finish(steps, 'reserve');
    expect(ready(steps)).toEqual(['charge', 'pack']);
    finish(steps, 'charge');
    expect(ready(steps)).toEqual(['pack']);
    finish(steps, 'pack');
    expect(ready(steps)).toEqual(['ship']);
  });

  it('are not ready any more once they have started, and let nothing start before they are done', () => {
    const steps = taskOf(...diamond);
    steps.start('reserve');
    expect(ready(steps)).toEqual(['charge']);
    expect(steps.inProgress.map(({ name }) => name)).toEqual(['reserve']);
    expect(steps.statusOf('reserve')).toBe('in_progress');
    expect(steps.statusOf('pack')).toBe('pending');
  });

  it('are in the order of the plan, whatever the order in which they are written', () => {
    const steps = taskOf(
      { name: 'last', dependencies: ['middle'] },
      { name: 'middle', dependencies: ['first'] },
      { name: 'first' },
    );
    expect(steps.instances.map(({ name }) => name)).toEqual(['first', 'middle', 'last']);
  });

  it('may depend on a step twice', () => {
    const steps = taskOf({ name: 'a' }, { name: 'b', dependsOn: ['a', 'a'] });
    finish(steps, 'a');
    expect(ready(steps)).toEqual(['b']);
    expect(steps.instances[1]?.step.dependencies).toEqual(['a']);
  });

  it('complete the task when all are done, and not before', () => {
    const steps = taskOf(...diamond);
    for (const name of ['reserve', 'charge', 'pack']) {
      finish(steps, name);
      expect(steps.end).toBeUndefined();
    }
    steps.start('ship');
    expect(steps.end).toBeUndefined();
    steps.complete('ship', { result: 7 });
    expect(steps.end).toBe('complete');
    expect(steps.statusOf('ship')).toBe('complete');
  });

  it('say what those have given that they depend on', () => {
    const plan = planOf(diamond);
    const steps = new TaskSteps(plan);
    finish(steps, 'charge', 'reserve');
    const [, , , ship] = plan.steps;
    if (ship === undefined) throw new Error('no step');
    expect(ship.name).toBe('ship');
    expect(steps.dependenciesOf(ship)).toEqual([
      { name: 'charge', step: 'charge', result: 'of charge' },
    ]);
    finish(steps, 'pack');
    expect(steps.dependenciesOf(ship)).toEqual([
      { name: 'charge', step: 'charge', result: 'of charge' },
      { name: 'pack', step: 'pack', result: 'of pack' },
    ]);
  });

  it('tell a result of null from none', () => {
    const plan = planOf([{ name: 'a' }, { name: 'b', dependencies: ['a'] }]);
    const steps = new TaskSteps(plan);
    steps.start('a');
    steps.complete('a', { result: null });
    const [, b] = plan.steps;
    expect(b && steps.dependenciesOf(b)).toEqual([{ name: 'a', step: 'a', result: null }]);
    steps.start('b');
    steps.complete('b', { result: null });
    expect(steps.results).toEqual({ b: null });
  });

  it('leave in the results those of which nothing that is part of the task takes the result', () => {
    const steps = taskOf(...diamond, { name: 'log', dependencies: ['reserve'] });
    expect(steps.results).toEqual({});
    finish(steps, 'reserve', 'charge', 'pack');
    expect(steps.results).toEqual({});
    finish(steps, 'log');
    expect(steps.results).toEqual({ log: 'of log' });
    finish(steps, 'ship');
    expect(steps.results).toEqual({ ship: 'of ship', log: 'of log' });
  });

  it('leave in the results what only steps would have taken that were left out', () => {
    const steps = taskOf(
      { name: 'look', type: 'decision' },
      { name: 'weigh' },
      { name: 'insure', dependencies: ['look', 'weigh'] },
      { name: 'send', dependencies: ['look'] },
    );
    finish(steps, 'weigh');
    choose(steps, 'look', 'send');
    finish(steps, 'send');
    expect(steps.results).toEqual({ weigh: 'of weigh', send: 'of send' });
  });

  it('are unknown by names that the task does not have', () => {
    const steps = taskOf({ name: 'a' });
    expect(steps.statusOf('b')).toBeUndefined();
    expect(steps.of('b')).toBeUndefined();
    steps.retry('b');
    expect(steps.state).toEqual({});
  });

  it('may have names that every object has', () => {
    const steps = taskOf(
      { name: 'constructor' },
      { name: 'toString', dependencies: ['constructor'] },
    );
    expect(steps.of('toString')).toBeUndefined();
    finish(steps, 'constructor');
    expect(ready(steps)).toEqual(['toString']);
    expect(steps.statusOf('valueOf')).toBeUndefined();
  });

  it('are told of while they wait for others', () => {
    const steps = taskOf(...diamond);
    const waiting = (): readonly string[] => steps.waiting.map(({ name }) => name);
    expect(waiting()).toEqual(['pack', 'ship']);
    finish(steps, 'reserve');
    expect(waiting()).toEqual(['ship']);
    finish(steps, 'charge', 'pack');
    expect(waiting()).toEqual([]);
  });
});

describe('a step that fails', () => {
  const chains = [
    { name: 'a1' },
    { name: 'a2', dependencies: ['a1'] },
    { name: 'a3', dependencies: ['a2'] },
    { name: 'b1' },
    { name: 'b2', dependencies: ['b1'] },
    { name: 'both', dependencies: ['a3', 'b2'] },
  ];

  it('blocks what depends on it, also through others, and nothing else', () => {
    const steps = taskOf(...chains);
    fail(steps, 'a1');
    expect(ready(steps)).toEqual(['b1']);
    expect(steps.statusOf('a1')).toBe('error');
    for (const name of ['a2', 'a3', 'both']) expect(steps.statusOf(name)).toBe('blocked');
    expect(steps.statusOf('b2')).toBe('pending');
    finish(steps, 'b1');
    expect(ready(steps)).toEqual(['b2']);
  });

  it('ends the task as an error, once the others are done', () => {
    const steps = taskOf(...chains);
    fail(steps, 'a1');
    expect(steps.end).toBeUndefined();
    finish(steps, 'b1');
    expect(steps.end).toBeUndefined();
    steps.start('b2');
    expect(steps.end).toBeUndefined();
    steps.complete('b2', { result: 2 });
    expect(steps.end).toBe('error');
    expect(steps.failed.map(({ name }) => name)).toEqual(['a1']);
  });

  it('keeps what it has failed of', () => {
    const steps = taskOf({ name: 'a' });
    fail(steps, 'a', 'no stock');
    expect(steps.of('a')).toEqual({
      status: 'error',
      failure: { type: 'Broken', message: 'no stock', retryable: false },
    });
  });

  it('begins again when it is retried, and lets the others go on when it is done', () => {
    const steps = taskOf(...chains);
    fail(steps, 'a1');
    finish(steps, 'b1', 'b2');
    steps.retry('a1');
    expect(steps.end).toBeUndefined();
    expect(steps.statusOf('a1')).toBe('pending');
    expect(steps.statusOf('both')).toBe('pending');
    expect(ready(steps)).toEqual(['a1']);
    finish(steps, 'a1', 'a2', 'a3', 'both');
    expect(steps.end).toBe('complete');
  });

  it('is done when it is resolved, and the task has come to its end by hand', () => {
    const plan = planOf(chains);
    const steps = new TaskSteps(plan);
    fail(steps, 'a1');
    finish(steps, 'b1', 'b2');
    steps.resolve('a1', { result: { by: 'hand' } });
    expect(steps.statusOf('a1')).toBe('resolved_manually');
    expect(ready(steps)).toEqual(['a2']);
    const a2 = plan.steps.find(({ name }) => name === 'a2');
    expect(a2 && steps.dependenciesOf(a2)).toEqual([
      { name: 'a1', step: 'a1', result: { by: 'hand' } },
    ]);
    finish(steps, 'a2', 'a3', 'both');
    expect(steps.end).toBe('resolved_manually');
    expect(steps.results).toEqual({ both: 'of both' });
  });

  it('ends the task as an error even where another was resolved', () => {
    const steps = taskOf({ name: 'a' }, { name: 'b' });
    fail(steps, 'a');
    fail(steps, 'b');
    steps.resolve('a', { result: null });
    expect(steps.end).toBe('error');
  });
});

describe('the state of a task', () => {
  it('is plain JSON that holds only what has begun', () => {
    const plan = planOf([
      { name: 'look', type: 'decision' },
      {
        name: 'split',
        type: 'batchable',
        dependencies: ['look'],
        batchConfig: { workerTemplate: 'load' },
      },
      { name: 'load', type: 'batch_worker', dependencies: ['split'] },
      { name: 'other', dependencies: ['look'] },
    ]);
    const steps = new TaskSteps(plan);
    expect(steps.state).toEqual({});
    choose(steps, 'look', 'split');
    divide(steps, 'split', 2);
    steps.start('load_002');
    fail(steps, 'load_001');
    const state = steps.state;
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    expect(state).toEqual({
      look: { status: 'complete', result: { branches: ['split'] }, branches: ['split'] },
      split: {
        status: 'complete',
        result: { count: 2 },
        ranges: [
          { start: 0, end: 10 },
          { start: 10, end: 20 },
        ],
      },
      load_001: {
        status: 'error',
        failure: { type: 'Broken', message: 'load_001 broke', retryable: false },
      },
      load_002: { status: 'in_progress' },
    });
    expect(answersOf(carried(plan, steps))).toEqual(answersOf(steps));
  });

  it('is not shared with steps that go on from it', () => {
    const plan = planOf([{ name: 'a' }, { name: 'b' }]);
    const steps = new TaskSteps(plan);
    finish(steps, 'a');
    const { state } = steps;
    finish(new TaskSteps(plan, state), 'b');
    finish(steps, 'b');
    expect(Object.keys(state)).toEqual(['a']);
  });
});
