import { describe, expect, it } from '@jest/globals';
import { foldEvent, HistoryFold } from '../../../src/progress/fold.js';
import type { TaskStep } from '../../../src/task/task.js';
import { History } from './task-history.js';

const STEPS: readonly TaskStep[] = [
  { name: 'choose', type: 'decision' },
  {
    name: 'split',
    type: 'batchable',
    dependencies: ['choose'],
    batchConfig: { workerTemplate: 'load', failureStrategy: 'isolate' },
  },
  { name: 'load', type: 'batch_worker', dependencies: ['split'] },
  { name: 'ask', type: 'approval', dependencies: ['load'] },
  { name: 'other', dependencies: ['choose'] },
];

/** Something of all that can happen to a task. */
function story(): History {
  return History.of(STEPS, { onError: 'wait' })
    .scheduled('choose')
    .completed('choose', { branches: ['split'] })
    .scheduled('split')
    .completed('split', {
      ranges: [
        { start: 0, end: 5 },
        { start: 5, end: 10 },
        { start: 10, end: 12 },
      ],
    })
    .scheduled('load_001', 'load_002', 'load_003')
    .completed('load_002')
    .failed('load_001')
    .completed('load_003')
    .signalled({ kind: 'retry', step: 'load_001' })
    .failed('load_001')
    .scheduled('load_001')
    .failed('load_001')
    .signalled({ kind: 'resolve', step: 'load_001', result: 5, reason: 'by hand' })
    .signalled({ kind: 'answer', step: 'ask', approved: true, result: 'yes', by: 'ada' })
    .take({ type: 'run_completed', result: { status: 'resolved_manually', results: {} } });
}

/** A fold that has taken the first event of a history. */
function begun({ events: [first] }: History): HistoryFold {
  if (first === undefined) throw new Error('the history is empty');
  return new HistoryFold(foldEvent(undefined, first).state);
}

function take(
  fold: HistoryFold,
  event: History['events'][number],
): ReturnType<HistoryFold['take']> {
  if (event.type === 'run_started') throw new TypeError('it has begun');
  return fold.take(event);
}

describe('a history that is folded as a whole', () => {
  it('tells the same, and comes to the same, as one that is folded event by event', () => {
    const history = story();
    const fold = begun(history);
    const told = history.events.slice(1).flatMap((event) => take(fold, event));
    expect(told).toEqual(history.told.slice(1));
    expect(fold.state).toEqual(history.state);
    expect(fold.status).toBe('completed');
    expect(told.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['step_retried', 'step_resolved', 'approval_requested']),
    );
  });

  it('gives states that later events do not change, whenever it is asked', () => {
    const history = story();
    const fold = begun(history);
    const given = history.events.slice(1).map((event) => {
      take(fold, event);
      return { state: fold.state, text: JSON.stringify(fold.state) };
    });
    for (const { state, text } of given) expect(JSON.stringify(state)).toBe(text);
    expect(new Set(given.map(({ text }) => text)).size).toBeGreaterThan(history.events.length / 2);
  });

  it('goes on from any state', () => {
    const history = story();
    for (let at = 1; at < history.events.length; at += 1) {
      const first = begun(history);
      for (const event of history.events.slice(1, at)) take(first, event);
      const second = new HistoryFold(JSON.parse(JSON.stringify(first.state)) as typeof first.state);
      for (const event of history.events.slice(at)) take(second, event);
      expect(second.state).toEqual(history.state);
    }
  });
});
