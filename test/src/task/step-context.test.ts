import { describe, expect, it, jest } from '@jest/globals';
import type { Json } from '../../../src/definition/json.js';
import type { ActivityContext, Log, Progress } from '../../../src/pipeline/context.js';
import { NO_SERVICES } from '../../../src/pipeline/context.js';
import { stepContext, type StepContextParts } from '../../../src/task/step-context.js';

const SILENT: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

function activity(over: Partial<ActivityContext> = {}): ActivityContext {
  return {
    signal: new AbortController().signal,
    log: SILENT,
    heartbeat: () => undefined,
    checkpoint: undefined,
    attempt: 1,
    run: { id: 'task/fulfil-order/1', name: 'fulfil-order', kind: 'task' },
    services: NO_SERVICES,
    ...over,
  };
}

function parts(over: Partial<StepContextParts> = {}): StepContextParts {
  return {
    activity: activity(),
    task: { name: 'fulfil-order', namespace: 'default', version: '1.0.0' },
    step: { name: 'charge', template: 'charge' },
    fields: { order_id: 'o1', quantity: 0, note: null },
    config: { currency: 'EUR' },
    dependencies: [],
    maximumAttempts: 3,
    approvalUrl: async (step) => `https://jobs.example/${step}`,
    ...over,
  };
}

describe('what a handler gets', () => {
  it('has what every activity has, and the task and the step that it works for', () => {
    const own = activity({ attempt: 2 });
    const context = stepContext(parts({ activity: own }));
    expect(context).toMatchObject({
      attempt: 2,
      run: { name: 'fulfil-order' },
      task: { name: 'fulfil-order', namespace: 'default', version: '1.0.0' },
      step: { name: 'charge', template: 'charge' },
      batch: undefined,
    });
    expect(context.signal).toBe(own.signal);
    expect(context.log).toBe(SILENT);
  });

  it('reads what the task was started with', () => {
    const { getInput, getTaskField, getInputOr } = stepContext(parts());
    expect(getTaskField('order_id')).toBe('o1');
    expect(getTaskField('quantity')).toBe(0);
    expect(getTaskField('note')).toBeNull();
    expect(getTaskField('none')).toBeUndefined();
    expect(getInput('order_id')).toBe('o1');
    expect(getInput('none')).toBeUndefined();
    expect(getInputOr('quantity', 5)).toBe(0);
    expect(getInputOr('none', 5)).toBe(5);
  });

  it('reads the initialization of the handler', () => {
    const { getConfig } = stepContext(parts());
    expect(getConfig('currency')).toBe('EUR');
    expect(getConfig('order_id')).toBeUndefined();
  });

  it('reads nothing that every object has', () => {
    const context = stepContext(
      parts({ dependencies: [{ name: 'a', step: 'a', result: { list: [1] } }] }),
    );
    const { getInput, getTaskField, getConfig, getDependencyField } = context;
    for (const name of ['constructor', 'toString', '__proto__']) {
      expect(getInput(name)).toBeUndefined();
      expect(getTaskField(name)).toBeUndefined();
      expect(getConfig(name)).toBeUndefined();
      expect(getDependencyField('a', name)).toBeUndefined();
      expect(getDependencyField('a', 'list', name)).toBeUndefined();
    }
  });

  it('reads what a step was given itself before what the task was started with', () => {
    const { getInput, getTaskField } = stepContext(parts({ inputs: { order_id: 'mine' } }));
    expect(getInput('order_id')).toBe('mine');
    expect(getTaskField('order_id')).toBe('o1');
    expect(getInput('quantity')).toBe(0);
  });

  it('knows whether there was an attempt before, and whether there is one after', () => {
    const at = (attempt: number, maximumAttempts: number): readonly boolean[] => {
      const { isRetry, isLastRetry } = stepContext(
        parts({ activity: activity({ attempt }), maximumAttempts }),
      );
      return [isRetry(), isLastRetry()];
    };
    expect(at(1, 3)).toEqual([false, false]);
    expect(at(2, 3)).toEqual([true, false]);
    expect(at(3, 3)).toEqual([true, true]);
    expect(at(1, 1)).toEqual([false, true]);
  });
});

describe('what a handler gets of the steps that its own depends on', () => {
  const { getDependencyResult, getDependencyField, getAllDependencyResults } = stepContext(
    parts({
      dependencies: [
        { name: 'charge', step: 'charge', result: { card: { last4: '4242' }, ids: ['x', 'y'] } },
        { name: 'load_001', step: 'load', result: 1 },
        {
          name: 'load_002',
          step: 'load',
          failure: { type: 'Broken', message: 'broke', retryable: false },
        },
        { name: 'load_003', step: 'load', result: null },
      ],
    }),
  );

  it('is what each has returned', () => {
    expect(getDependencyResult('charge')).toMatchObject({ card: { last4: '4242' } });
    expect(getDependencyResult('load_001')).toBe(1);
    expect(getDependencyResult('load_003')).toBeNull();
  });

  it('is nothing where one was left out, has failed or is none of them', () => {
    expect(getDependencyResult('load_002')).toBeUndefined();
    expect(getDependencyResult('ship')).toBeUndefined();
    expect(getDependencyResult('load')).toBeUndefined();
  });

  it('is found by the names that lead into it', () => {
    expect(getDependencyField('charge', 'card')).toEqual({ last4: '4242' });
    expect(getDependencyField('charge', 'card', 'last4')).toBe('4242');
    expect(getDependencyField('charge', 'ids', '1')).toBe('y');
    expect(getDependencyField('charge', 'card', 'none', 'deeper')).toBeUndefined();
    expect(getDependencyField('load_001', 'x')).toBeUndefined();
    expect(getDependencyField('load_003', 'x')).toBeUndefined();
    expect(getDependencyField('load_002', 'x')).toBeUndefined();
    expect(getDependencyField('ship', 'x')).toBeUndefined();
  });

  it('is a list of all, or of those whose names begin alike, failures among them', () => {
    expect(getAllDependencyResults().map(({ name }) => name)).toEqual([
      'charge',
      'load_001',
      'load_002',
      'load_003',
    ]);
    const workers = getAllDependencyResults('load_');
    expect(workers.map(({ name }) => name)).toEqual(['load_001', 'load_002', 'load_003']);
    expect(workers[1]?.failure?.message).toBe('broke');
    expect(getAllDependencyResults('none')).toEqual([]);
  });
});

describe('what a worker of a batch gets', () => {
  const range = { id: '002', start: 100, end: 150 };

  function worker(checkpoint?: Json, over: Partial<StepContextParts> = {}): StepContextParts {
    return parts({
      step: { name: 'load_002', template: 'load' },
      range,
      activity: activity({ checkpoint }),
      ...over,
    });
  }

  it('is its range, at its beginning', () => {
    const { batch } = stepContext(worker());
    expect(batch).toEqual({ id: '002', start: 100, end: 150, cursor: 100, itemsProcessed: 0 });
  });

  it('is told which field the cursor counts', () => {
    expect(stepContext(worker(undefined, { cursorField: 'row_id' })).batch?.cursorField).toBe(
      'row_id',
    );
  });

  it('is also read as its input, before what the task was started with', () => {
    const { getInput, getTaskField } = stepContext(
      worker(undefined, { fields: { batch_id: 'mine', order_id: 'o1' } }),
    );
    expect(getInput('batch_id')).toBe('002');
    expect(getInput('start_cursor')).toBe(100);
    expect(getInput('end_cursor')).toBe(150);
    expect(getInput('order_id')).toBe('o1');
    expect(getTaskField('batch_id')).toBe('mine');
  });

  it('goes on where the attempt before it has come to', () => {
    const kept = { cursor: 130, itemsProcessed: 30, accumulated: { sum: 7 } };
    expect(stepContext(worker(kept)).batch).toMatchObject(kept);
  });

  it('does not take for a place what a handler has kept otherwise', () => {
    for (const kept of ['130', 130, null, [130], {}, { cursor: '130', itemsProcessed: true }])
      expect(stepContext(worker(kept)).batch).toMatchObject({ cursor: 100, itemsProcessed: 0 });
  });

  it('keeps how far it is, for the next attempt to go on from', () => {
    const heartbeat = jest.fn<(progress: Progress, checkpoint?: Json) => void>();
    const { checkpointYield } = stepContext(
      worker(undefined, { activity: activity({ heartbeat }) }),
    );
    checkpointYield({ cursor: 120, itemsProcessed: 18, accumulated: { sum: 3 } });
    checkpointYield({ cursor: 125 });
    expect(heartbeat.mock.calls).toEqual([
      [
        { completed: 18, total: 50 },
        { cursor: 120, itemsProcessed: 18, accumulated: { sum: 3 } },
      ],
      [
        { completed: 25, total: 50 },
        { cursor: 125, itemsProcessed: 25 },
      ],
    ]);
    const checkpoint = heartbeat.mock.calls[0]?.[1];
    expect(stepContext(worker(checkpoint)).batch).toMatchObject({
      cursor: 120,
      itemsProcessed: 18,
      accumulated: { sum: 3 },
    });
  });

  it('is nothing for other steps, which may keep how far they are all the same', () => {
    const heartbeat = jest.fn<(progress: Progress, checkpoint?: Json) => void>();
    const { batch, checkpointYield } = stepContext(parts({ activity: activity({ heartbeat }) }));
    expect(batch).toBeUndefined();
    checkpointYield({ cursor: 9 });
    expect(heartbeat.mock.calls).toEqual([[{ completed: 9 }, { cursor: 9, itemsProcessed: 9 }]]);
  });
});
