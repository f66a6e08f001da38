import { describe, expect, it } from '@jest/globals';
import type { PipelinePlan } from '../../../src/pipeline/plan.js';
import { foldEvent, type FoldState } from '../../../src/progress/fold.js';
import type { HistoryEvent } from '../../../src/progress/history-event.js';
import type { Told } from '../../../src/progress/progress-writer.js';

const plan: PipelinePlan = {
  kind: 'pipeline',
  interpreter: 1,
  name: 'p',
  timeoutMs: 1_000,
  result: 'one',
  stages: [
    {
      name: 'one',
      merge: 'last',
      parallel: 10,
      operations: [
        {
          type: 'a',
          name: 'a',
          retry: { maximumAttempts: 5, initialIntervalMs: 1, backoffCoefficient: 2 },
          reads: [],
          sets: [],
          deletes: [],
          contractHash: '',
        },
      ],
    },
  ],
  units: [],
};

describe('attempts', () => {
  it('are counted on when a fused group or a stopping worker hands the operation over', () => {
    const place = { stage: 0, operation: 0 };
    const quick = { ...place, startedAt: 500, durationMs: 2_000, attempts: 1 };
    const shutdown = { type: 'WorkerShutdown', message: 'stopped', retryable: false };
    const events: HistoryEvent[] = [
      { eventId: 1, time: 1_000, type: 'run_started', name: 'p', inputKeys: [], plan },
      { eventId: 2, time: 1_010, type: 'quick_completed', outcome: { operations: [quick] } },
      {
        eventId: 3,
        time: 1_020,
        type: 'activity_scheduled',
        activityType: 'a',
        place: { ...place, round: 0 },
      },
      // Of these two, the second was given up, and does not count.
      {
        eventId: 4,
        time: 1_030,
        type: 'activity_failed',
        scheduledEventId: 3,
        attempts: 2,
        failure: shutdown,
      },
      {
        eventId: 5,
        time: 1_040,
        type: 'activity_scheduled',
        activityType: 'a',
        place: { ...place, round: 1 },
      },
      { eventId: 6, time: 1_050, type: 'activity_completed', scheduledEventId: 5, attempts: 2 },
    ];

    let state: FoldState | undefined;
    const told: Told[] = [];
    for (const event of events) {
      const step = foldEvent(state, event);
      state = step.state;
      told.push(...step.events);
    }

    expect(state?.progress.stages[0]?.operations[0]).toMatchObject({
      state: 'completed',
      attempts: 4,
    });
    expect(told.filter(({ type }) => type.startsWith('operation_'))).toMatchObject([
      { type: 'operation_started', time: 1_020 },
      { type: 'operation_retrying', data: { attempt: 3 } },
      { type: 'operation_completed', data: { attempts: 4 } },
    ]);
  });
});
