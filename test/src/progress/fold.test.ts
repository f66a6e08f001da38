import { describe, expect, it } from '@jest/globals';
import type { OperationPlan, PipelinePlan, StagePlan } from '../../../src/pipeline/plan.js';
import { foldEvent, type FoldState } from '../../../src/progress/fold.js';
import type { Told } from '../../../src/progress/progress-writer.js';
import type { HistoryEvent } from '../../../src/progress/history-event.js';
import { usageByModel, type RunProgress } from '../../../src/progress/progress.js';
import { formatEventId, isAfter, parseEventId } from '../../../src/progress/run-event.js';

function operation(name: string, more: Partial<OperationPlan> = {}): OperationPlan {
  return {
    type: name,
    name,
    retry: { maximumAttempts: 3, initialIntervalMs: 1_000, backoffCoefficient: 2 },
    reads: [],
    sets: [],
    deletes: [],
    contractHash: '',
    ...more,
  };
}

function stage(name: string, ...operations: OperationPlan[]): StagePlan {
  return { name, merge: 'last', parallel: 10, operations };
}

function plan(...stages: StagePlan[]): PipelinePlan {
  return {
    kind: 'pipeline',
    interpreter: 1,
    name: 'p',
    timeoutMs: 1_000,
    result: 'one',
    stages,
    units: [],
  };
}

type Untimed = HistoryEvent extends infer E
  ? E extends HistoryEvent
    ? Omit<E, 'eventId' | 'time'>
    : never
  : never;

/** Folds events; each comes 10 ms after the one before. */
function fold(
  of: PipelinePlan,
  ...events: Untimed[]
): { readonly progress: RunProgress; readonly told: readonly Told[] } {
  const all: Untimed[] = [
    { type: 'run_started', name: 'p', inputKeys: ['text'], plan: of },
    { type: 'run_taken' },
    ...events,
  ];
  let state: FoldState | undefined;
  const told: Told[] = [];
  all.forEach((event, index) => {
    const step = foldEvent(state, { ...event, eventId: index + 1, time: 1_000 + index * 10 });
    // What continue-as-new carries is JSON.
    state = JSON.parse(JSON.stringify(step.state)) as FoldState;
    told.push(...step.events);
  });
  if (state === undefined) throw new Error('nothing was folded');
  return { progress: state.progress, told };
}

const scheduled = (stageIndex: number, index: number, round = 0): Untimed => ({
  type: 'activity_scheduled',
  activityType: 'x',
  place: { stage: stageIndex, operation: index, round },
});

describe('the fold of a run', () => {
  it('tells stages and operations in the order in which they happened', () => {
    const { progress, told } = fold(
      plan(stage('one', operation('a'), operation('b'))),
      scheduled(0, 0),
      scheduled(0, 1),
      { type: 'activity_completed', scheduledEventId: 4, attempts: 2, startedAt: 1_025 },
      { type: 'activity_completed', scheduledEventId: 3, attempts: 1, startedAt: 1_021 },
      { type: 'run_completed', result: { text: 'done' } },
    );

    expect(
      told.map(({ type, data }) => [type, data['operation'] ?? data['stage'] ?? data['pipe']]),
    ).toEqual([
      ['pipe_started', 'p'],
      ['stage_started', 'one'],
      ['operation_started', 'a'],
      ['operation_started', 'b'],
      ['operation_completed', 'b'],
      ['operation_completed', 'a'],
      ['stage_completed', 'one'],
      ['complete', undefined],
    ]);
    expect(
      told.find(({ data }) => data['operation'] === 'b' && data['attempts'] === 2)?.data[
        'duration_ms'
      ],
    ).toBe(15);
    expect(progress).toMatchObject({
      status: 'completed',
      result: { text: 'done' },
      stages: [{ state: 'completed' }],
    });
  });

  it('takes times and failures of fused operations from what their activity reported', () => {
    const { told, progress } = fold(
      plan(
        stage('one', operation('a')),
        stage('two', operation('b')),
        stage('three', operation('c')),
      ),
      {
        type: 'quick_completed',
        outcome: {
          operations: [
            {
              stage: 0,
              operation: 0,
              startedAt: 500,
              durationMs: 3,
              attempts: 1,
              outcome: { effect: { kind: 'sets', sets: [{}] } },
            },
            {
              stage: 1,
              operation: 0,
              startedAt: 503,
              durationMs: 9,
              attempts: 3,
              failure: { type: 'Bad', message: 'no', retryable: true },
            },
          ],
        },
      },
    );

    expect(told.map(({ type, time }) => [type, time])).toEqual([
      ['pipe_started', 1_000],
      ['stage_started', 500],
      ['operation_started', 500],
      ['operation_completed', 503],
      ['stage_completed', 503],
      ['stage_started', 503],
      ['operation_started', 503],
      ['operation_failed', 512],
      ['stage_failed', 512],
    ]);
    expect(progress.stages.map(({ state }) => state)).toEqual(['completed', 'failed', 'pending']);
  });

  it('passes stages without operations where they stand', () => {
    const { told } = fold(
      plan(stage('before'), stage('work', operation('a')), stage('after')),
      scheduled(0 + 1, 0),
      {
        type: 'activity_completed',
        scheduledEventId: 3,
        attempts: 1,
      },
    );

    expect(
      told
        .filter(({ type }) => type.startsWith('stage_'))
        .map(({ type, data }) => `${type} ${JSON.stringify(data['stage'])}`),
    ).toEqual([
      'stage_started "before"',
      'stage_completed "before"',
      'stage_started "work"',
      'stage_completed "work"',
      'stage_started "after"',
      'stage_completed "after"',
    ]);
  });

  it('counts the namespaces that reach a stage', () => {
    const { told } = fold(
      plan(
        stage('split', operation('split', { changesCount: true })),
        stage('each', operation('a')),
      ),
      scheduled(0, 0),
      {
        type: 'activity_completed',
        scheduledEventId: 3,
        attempts: 1,
        outcome: {
          effect: {
            kind: 'derived',
            derived: [
              { from: 0, set: {} },
              { from: 0, set: {} },
              { from: 0, set: {} },
            ],
          },
        },
      },
      scheduled(1, 0),
    );

    expect(
      told
        .filter(({ type }) => type === 'stage_started')
        .map(({ data }) => data['namespace_count']),
    ).toEqual([1, 3]);
  });

  it('takes a missing operation for a wait, not for a failure', () => {
    const { told, progress } = fold(
      plan(stage('one', operation('a'))),
      scheduled(0, 0),
      {
        type: 'activity_failed',
        scheduledEventId: 3,
        attempts: 1,
        failure: { type: 'OperationNotRegistered', message: '', retryable: false },
      },
      scheduled(0, 0, 1),
      { type: 'activity_completed', scheduledEventId: 5, attempts: 1 },
    );

    expect(told.map(({ type }) => type)).toEqual([
      'pipe_started',
      'stage_started',
      'operation_started',
      'operation_waiting',
      'operation_completed',
      'stage_completed',
    ]);
    expect(progress.stages[0]?.state).toBe('completed');
  });

  it.each([
    {
      outcome: 'the activity ignored it',
      event: {
        type: 'activity_completed',
        outcome: {
          effect: { kind: 'ignored', failure: { type: 'Bad', message: 'no', retryable: false } },
        },
      },
    },
    {
      outcome: 'the plan ignores its type',
      event: { type: 'activity_failed', failure: { type: 'Bad', message: 'no', retryable: false } },
    },
  ])('tells a failure, and goes on, where $outcome', ({ event }) => {
    const { told, progress } = fold(
      plan(stage('one', operation('a', { ignoreErrors: ['Bad'] }))),
      scheduled(0, 0),
      { ...event, scheduledEventId: 3, attempts: 1 } as Untimed,
    );

    expect(told.at(-2)).toMatchObject({
      type: 'operation_failed',
      data: { error: 'no', ignored: true },
    });
    expect(told.at(-1)).toMatchObject({ type: 'stage_completed' });
    expect(progress.stages[0]).toMatchObject({
      state: 'completed',
      operations: [{ state: 'ignored' }],
    });
  });

  it.each([
    {
      end: {
        type: 'run_failed',
        failure: { type: 'contract_violation', message: 'm', retryable: false, stage: 's' },
      },
      status: 'failed',
      type: 'contract_violation',
    },
    {
      end: { type: 'run_failed', failure: { type: 'timeout', message: 'm', retryable: false } },
      status: 'timed_out',
      type: 'timeout',
    },
    {
      end: { type: 'run_failed', failure: { type: 'Odd', message: 'm', retryable: false } },
      status: 'failed',
      type: 'execution_error',
    },
    { end: { type: 'run_cancelled' }, status: 'cancelled', type: 'execution_error' },
    {
      end: { type: 'run_terminated', reason: 'by hand' },
      status: 'terminated',
      type: 'execution_error',
    },
    { end: { type: 'run_timed_out' }, status: 'timed_out', type: 'timeout' },
  ])('ends with pipe_failed and error when the run is $status ($type)', ({ end, status, type }) => {
    const { told, progress } = fold(plan(stage('one', operation('a'))), end as Untimed);

    expect(progress.status).toBe(status);
    expect(told.slice(-2)).toMatchObject([
      { type: 'pipe_failed', data: { pipe: 'p', status } },
      { type: 'error', data: { type } },
    ]);
  });

  it('stops the clock of what was going on when the run ended', () => {
    const { progress } = fold(plan(stage('one', operation('a'))), scheduled(0, 0), {
      type: 'run_cancelled',
    });

    expect(progress.stages[0]?.operations[0]).toMatchObject({ state: 'cancelled', durationMs: 10 });
  });

  it('adds up the tokens by model', () => {
    const usage = [{ model: 'fast', inputTokens: 10, outputTokens: 2 }];
    const { progress } = fold(
      plan(stage('one', operation('a'), operation('b'))),
      scheduled(0, 0),
      scheduled(0, 1),
      {
        type: 'activity_completed',
        scheduledEventId: 3,
        attempts: 1,
        outcome: { effect: { kind: 'sets', sets: [{}] }, usage },
      },
      {
        type: 'activity_completed',
        scheduledEventId: 4,
        attempts: 1,
        outcome: { effect: { kind: 'sets', sets: [{}] }, usage },
      },
    );

    expect(usageByModel(progress)).toEqual([{ model: 'fast', inputTokens: 20, outputTokens: 4 }]);
  });

  it('knows nothing of the stages of a hand-written workflow, and tells its start and end', () => {
    const first = foldEvent(undefined, {
      type: 'run_started',
      eventId: 1,
      time: 1,
      name: 'greet',
      inputKeys: ['name'],
    });
    const last = foldEvent(first.state, {
      type: 'run_completed',
      eventId: 5,
      time: 9,
      result: 'hi',
    });

    expect([...first.events, ...last.events].map(({ type }) => type)).toEqual([
      'pipe_started',
      'complete',
    ]);
  });
});

describe('the id of an event', () => {
  it('is read back as it was written, and orders the events of a run', () => {
    const id = formatEventId({ runId: '0190-ab', eventId: 12, index: 3 });

    expect(parseEventId(id)).toEqual({ runId: '0190-ab', eventId: 12, index: 3 });
    expect(
      isAfter({ runId: 'r', eventId: 12, index: 4 }, { runId: 'r', eventId: 12, index: 3 }),
    ).toBe(true);
    expect(
      isAfter({ runId: 'r', eventId: 12, index: 3 }, { runId: 'r', eventId: 12, index: 3 }),
    ).toBe(false);
  });

  it.each(['', 'x', 'a.b.c', '../../etc.1.2', 'r.1', 'r.1.2.3'])(
    'is refused when it is none: %j',
    (text) => {
      expect(parseEventId(text)).toBeUndefined();
    },
  );
});
