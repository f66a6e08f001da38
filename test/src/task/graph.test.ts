import { describe, expect, it } from '@jest/globals';
import {
  branchesOf,
  graphProblems,
  inOrder,
  type GraphProblem,
  type GraphStep,
} from '../../../src/task/graph.js';
import type { StepType } from '../../../src/task/plan.js';

/** A step that comes after others. */
function step(
  name: string,
  dependencies: readonly string[] = [],
  type: StepType = 'standard',
): GraphStep {
  return { name, type, dependencies };
}

function batchable(
  name: string,
  worker: string,
  dependencies: readonly string[] = [],
): GraphStep & { readonly worker: string } {
  return { name, type: 'batchable', dependencies, worker };
}

function cycle(at: string, way: string): GraphProblem {
  return {
    step: at,
    message: `it depends on itself: ${way}. Take one of these dependencies out.`,
  };
}

describe('cycles that share steps, or lead into each other', () => {
  it('are all told', () => {
    const shared = [step('a', ['b', 'c']), step('b', ['a']), step('c', ['a'])];
    expect(graphProblems(shared)).toEqual([cycle('a', 'a → b → a'), cycle('c', 'c → a → c')]);
    const apart = [step('a', ['b']), step('b', ['a']), step('c', ['a', 'd']), step('d', ['c'])];
    expect(graphProblems(apart)).toEqual([cycle('a', 'a → b → a'), cycle('c', 'c → d → c')]);
  });
});

describe('the order of steps', () => {
  it('has each step after those that it depends on', () => {
    const steps = [step('ship', ['charge', 'pack']), step('charge', ['check']), step('pack')];
    expect(inOrder([...steps, step('check')]).map(({ name }) => name)).toEqual([
      'pack',
      'check',
      'charge',
      'ship',
    ]);
  });

  it('is that in which they are written where nothing else is said', () => {
    expect(inOrder([step('b'), step('a'), step('c')]).map(({ name }) => name)).toEqual([
      'b',
      'a',
      'c',
    ]);
  });

  it('does not depend on how often a step is needed', () => {
    const diamond = [step('d', ['b', 'c']), step('c', ['a']), step('b', ['a']), step('a')];
    expect(inOrder(diamond).map(({ name }) => name)).toEqual(['a', 'c', 'b', 'd']);
  });

  it('leaves out what is in a cycle, and what comes after it', () => {
    const steps = [step('a'), step('b', ['c']), step('c', ['b']), step('d', ['c'])];
    expect(inOrder(steps).map(({ name }) => name)).toEqual(['a']);
  });
});

describe('a cycle', () => {
  it('of one step is told there', () => {
    expect(graphProblems([step('a', ['a'])])).toEqual([cycle('a', 'a → a')]);
  });

  it('of two steps is told at the one that is written first', () => {
    expect(graphProblems([step('a', ['b']), step('b', ['a'])])).toEqual([cycle('a', 'a → b → a')]);
  });

  it('is named in the order in which the steps would be run', () => {
    // c depends on b, and b on a.
    expect(graphProblems([step('a', ['c']), step('b', ['a']), step('c', ['b'])])).toEqual([
      cycle('a', 'a → b → c → a'),
    ]);
  });

  it('is told without what only depends on it, even if that is written before', () => {
    const steps = [step('z', ['y']), step('y', ['b']), step('b', ['c']), step('c', ['b', 'x'])];
    expect(graphProblems([...steps, step('x')])).toEqual([cycle('b', 'b → c → b')]);
  });

  it('is told beside another with which it has nothing to do', () => {
    const steps = [step('a', ['b']), step('b', ['a']), step('c', ['d']), step('d', ['c'])];
    expect(graphProblems(steps)).toEqual([cycle('a', 'a → b → a'), cycle('c', 'c → d → c')]);
  });

  it('is told before anything else that is wrong with the graph', () => {
    const steps = [step('a', ['a']), step('choose', [], 'decision')];
    expect(graphProblems(steps)).toEqual([cycle('a', 'a → a')]);
  });

  it('is not made by a name that no step has', () => {
    expect(graphProblems([step('a', ['nobody']), step('b', ['a', 'nobody'])])).toEqual([]);
  });

  it('is not made by two ways to the same step', () => {
    const diamond = [step('a'), step('b', ['a']), step('c', ['a']), step('d', ['b', 'c', 'a'])];
    expect(graphProblems(diamond)).toEqual([]);
  });
});

describe('a decision', () => {
  it('has the steps that depend on it as branches, but for convergences', () => {
    const steps = [
      step('choose', [], 'decision'),
      step('small', ['choose']),
      step('large', ['choose', 'weigh']),
      step('weigh'),
      step('after', ['choose', 'small', 'large'], 'deferred_convergence'),
      step('last', ['large']),
    ];
    expect(branchesOf('choose', steps)).toEqual(['small', 'large']);
  });

  it('from which nothing follows has nothing to choose from', () => {
    expect(graphProblems([step('a'), step('choose', ['a'], 'decision')])).toEqual([
      {
        step: 'choose',
        message:
          'no step depends on this decision that it could choose: convergences come after what was chosen.',
      },
    ]);
  });

  const chain = (length: number): readonly GraphStep[] => [
    ...Array.from({ length }, (_, at) =>
      step(`d${String(at + 1)}`, at === 0 ? [] : [`d${String(at)}`], 'decision'),
    ),
    step('end', [`d${String(length)}`]),
  ];

  it('may come after two others', () => {
    expect(graphProblems(chain(3))).toEqual([]);
  });

  it('may not come after three others', () => {
    expect(graphProblems(chain(4))).toEqual([
      {
        step: 'd4',
        message:
          'it is decision number 4 on the way to it; the most is 3 (decisionDepth). Decide more at once, or start another task.',
      },
    ]);
  });

  it('counts with the steps between it and the next', () => {
    const steps = [
      step('d1', [], 'decision'),
      step('s1', ['d1']),
      step('d2', ['s1'], 'decision'),
      step('s2', ['d2']),
      step('d3', ['s2'], 'decision'),
      step('s3', ['d3'], 'deferred_convergence'),
      step('other', ['d3']),
      step('d4', ['s3'], 'decision'),
      step('end', ['d4']),
    ];
    expect(graphProblems(steps).map((problem) => problem.step)).toEqual(['d4']);
  });

  it('does not count for those beside it', () => {
    const steps = Array.from({ length: 5 }, (_, at) => [
      step(`d${String(at)}`, [], 'decision'),
      step(`s${String(at)}`, [`d${String(at)}`]),
    ]).flat();
    expect(graphProblems(steps)).toEqual([]);
  });
});

describe('a step that needs two branches of a decision', () => {
  const BRANCHES = [
    step('choose', [], 'decision'),
    step('small', ['choose']),
    step('large', ['choose']),
  ];
  const warning = (at: string): GraphProblem => ({
    step: at,
    message:
      'it needs "small" and "large", and is left out unless "choose" chooses all of them. To run it after those that are chosen, write type: deferred_convergence.',
    severity: 'warning',
  });

  it('is warned of', () => {
    expect(graphProblems([...BRANCHES, step('join', ['small', 'large'])])).toEqual([
      warning('join'),
    ]);
  });

  it('is warned of where they have gone on', () => {
    const steps = [step('pack', ['small']), step('crate', ['large'])];
    expect(graphProblems([...BRANCHES, ...steps, step('join', ['pack', 'crate'])])).toEqual([
      warning('join'),
    ]);
  });

  it('is warned of once, and not again for what comes after it', () => {
    const steps = [...BRANCHES, step('join', ['small', 'large']), step('last', ['join'])];
    expect(graphProblems(steps)).toEqual([warning('join')]);
  });

  it('is right as a convergence, and so is what comes after that', () => {
    const steps = [
      ...BRANCHES,
      step('join', ['small', 'large'], 'deferred_convergence'),
      step('last', ['join']),
    ];
    expect(graphProblems(steps)).toEqual([]);
  });

  it('is right where it needs only one of them, and a step on no branch', () => {
    const steps = [...BRANCHES, step('weigh'), step('join', ['small', 'weigh'])];
    expect(graphProblems(steps)).toEqual([]);
  });

  it('is right where the branches are those of two decisions', () => {
    const steps = [
      ...BRANCHES,
      step('pay', [], 'decision'),
      step('invoice', ['pay']),
      step('join', ['small', 'invoice']),
    ];
    expect(graphProblems(steps)).toEqual([]);
  });
});

describe('a convergence', () => {
  it('that depends on nothing brings nothing together', () => {
    expect(graphProblems([step('join', [], 'deferred_convergence')])).toEqual([
      {
        step: 'join',
        message:
          'it is a convergence that depends on nothing. Name the steps that it brings together.',
      },
    ]);
  });

  it('may depend on steps that are on no branch', () => {
    expect(graphProblems([step('a'), step('join', ['a'], 'deferred_convergence')])).toEqual([]);
  });
});

describe('a batch', () => {
  it('is right with a worker that depends on what divides the work', () => {
    const steps = [batchable('divide', 'load'), step('load', ['divide'], 'batch_worker')];
    expect(graphProblems([...steps, step('sum', ['load'])])).toEqual([]);
  });

  it('needs a worker of the type for workers', () => {
    expect(graphProblems([batchable('divide', 'load'), step('load', ['divide'])])).toEqual([
      {
        step: 'divide',
        message: 'its worker_template "load" is of type standard. It must be a batch_worker.',
      },
    ]);
  });

  it('is not its own worker', () => {
    expect(graphProblems([batchable('divide', 'divide')])).toEqual([
      {
        step: 'divide',
        message: 'its worker_template "divide" is of type batchable. It must be a batch_worker.',
      },
    ]);
  });

  it('needs a worker that comes after it, which is told at the worker', () => {
    expect(graphProblems([batchable('divide', 'load'), step('load', [], 'batch_worker')])).toEqual([
      {
        step: 'load',
        message:
          'it works on the ranges of "divide" and must depend on it. Write depends_on: [divide].',
      },
    ]);
  });

  it('without a worker is told of elsewhere', () => {
    expect(graphProblems([batchable('divide', 'nobody')])).toEqual([]);
    expect(graphProblems([step('divide', [], 'batchable')])).toEqual([]);
  });

  it('has no worker that nothing names', () => {
    expect(graphProblems([step('divide'), step('load', ['divide'], 'batch_worker')])).toEqual([
      {
        step: 'load',
        message:
          'it is never run: no batchable step names it as worker_template. Write batch_config: { worker_template: load } there.',
      },
    ]);
  });
});

describe('what is wrong with the places of several steps', () => {
  it('is told all at once', () => {
    const steps = [
      step('choose', [], 'decision'),
      batchable('divide', 'load'),
      step('load', [], 'batch_worker'),
      step('idle', [], 'batch_worker'),
      step('join', [], 'deferred_convergence'),
    ];
    expect(graphProblems(steps).map((problem) => problem.step)).toEqual([
      'choose',
      'load',
      'idle',
      'join',
    ]);
  });
});
