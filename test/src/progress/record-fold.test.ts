import { describe, expect, it } from '@jest/globals';
import type { DrainOutcome } from '../../../src/record-pipeline/plan.js';
import { foldEvent, type FoldState } from '../../../src/progress/fold.js';
import type { HistoryEvent } from '../../../src/progress/history-event.js';
import type { Told } from '../../../src/progress/progress-writer.js';

type Undated<T> = T extends unknown ? Omit<T, 'eventId' | 'time'> : never;

/** Folds events, one second after the other. */
function folded(...events: readonly Undated<HistoryEvent>[]): {
  readonly state: FoldState | undefined;
  readonly told: readonly Told[];
} {
  let state: FoldState | undefined;
  const told: Told[] = [];
  for (const [at, event] of events.entries()) {
    const step = foldEvent(state, { ...event, eventId: at + 1, time: at * 1_000 });
    state = step.state;
    told.push(...step.events);
  }
  return { state, told };
}

const STARTED = {
  type: 'run_started',
  name: 'greeting',
  inputKeys: [],
  recordRun: 'RUN',
} as const;

function drained(over: Partial<DrainOutcome>): Undated<HistoryEvent> {
  return {
    type: 'records_drained',
    outcome: {
      place: { step: 0, found: true },
      done: false,
      step: 'greet',
      counts: { completed: 300, failed: 1 },
      queues: { greet: 90, mail: 10 },
      recordsPerSecond: 50,
      errors: [],
      ...over,
    },
  };
}

describe('the progress of a record pipeline', () => {
  it('is told from its start over its store and its records to its end', () => {
    const { state, told } = folded(
      STARTED,
      { type: 'run_taken' },
      { type: 'run_waits', reason: 'Waits for a worker' },
      { type: 'records_begun' },
      drained({}),
      {
        type: 'activity_failed',
        scheduledEventId: 9,
        attempts: 1,
        failure: { type: 'WorkerLost', message: 'gone', retryable: true },
      },
      drained({
        done: true,
        step: undefined as never,
        counts: { completed: 400, failed: 1 },
        queues: { greet: 0, mail: 0 },
      }),
      { type: 'run_completed', result: { run: 'RUN', completed: 400, failed: 1 } },
    );
    expect(told.map(({ type }) => type)).toEqual([
      'record_pipeline_started',
      'record_pipeline_waiting',
      'record_pipeline_begun',
      'record_pipeline_progress',
      'record_pipeline_attempt_failed',
      'record_pipeline_progress',
      'complete',
    ]);
    expect(told[0]?.data).toEqual({ record_pipeline: 'greeting', run: 'RUN' });
    expect(told[1]?.data).toEqual({ reason: 'Waits for a worker' });
    expect(told[3]?.data).toEqual({
      step: 'greet',
      completed: 300,
      failed: 1,
      total: 401,
      records_left: 100,
      queues: { greet: 90, mail: 10 },
      records_per_second: 50,
      eta_seconds: 2,
    });
    expect(told[4]?.data).toEqual({ error: 'gone', type: 'WorkerLost' });
    expect(state?.progress).toMatchObject({
      status: 'completed',
      records: { run: 'RUN', drained: { completed: 400, records_left: 0 } },
    });
  });

  it('has no time to go while nothing is known of its rate', () => {
    const { told } = folded(STARTED, drained({ recordsPerSecond: 0 }));
    expect(told.at(-1)?.data).toMatchObject({ records_per_second: 0, eta_seconds: null });
  });

  it('ends with what has failed', () => {
    const failure = { type: 'RecordsFailed', message: 'user 4 failed', retryable: false };
    const { told, state } = folded(STARTED, drained({}), { type: 'run_failed', failure });
    expect(told.slice(-2)).toEqual([
      {
        type: 'record_pipeline_failed',
        time: 2_000,
        data: {
          record_pipeline: 'greeting',
          run: 'RUN',
          status: 'failed',
          error: 'user 4 failed',
          duration_ms: 2_000,
        },
      },
      expect.objectContaining({
        type: 'error',
        data: expect.objectContaining({ message: 'user 4 failed', code: 'RecordsFailed' }),
      }),
    ]);
    expect(state?.progress.status).toBe('failed');
  });
});
