import { describe, expect, it } from '@jest/globals';
import {
  ActivityFailure,
  ApplicationFailure,
  RetryState,
  TimeoutFailure,
  TimeoutType,
} from '@temporalio/common';
import { progressData } from '../../src/data-flow/progress.js';
import { NO_ROWS } from '../../src/data-flow/row.js';
import { FAILURE_TYPES } from '../../src/pipeline/failure.js';
import { NO_TROUBLE, troubleAfter, type Trouble } from '../../workflows/flow-trouble.js';

function ended(cause: Error): ActivityFailure {
  const state = RetryState.MAXIMUM_ATTEMPTS_REACHED;
  return new ActivityFailure('Activity task failed', 'moveRows', '1', state, 'worker', cause);
}

/** As Temporal ends an attempt whose worker was killed: with the last heartbeat that came. */
function lost(heartbeat?: unknown): ActivityFailure {
  return ended(new TimeoutFailure('heartbeat', heartbeat, TimeoutType.HEARTBEAT));
}

function failed(moved: number): ActivityFailure {
  const details = [{}, { moved }];
  return ended(ApplicationFailure.create({ message: 'the database is away', details }));
}

/** A heartbeat of an attempt that has moved batches. */
const MOVED = {
  progress: progressData({ done: false, counts: NO_ROWS, rowsPerSecond: 100 }),
};

function after(...errors: readonly unknown[]): Trouble {
  return errors.reduce<Trouble>(troubleAfter, NO_TROUBLE);
}

describe('attempts of a data flow', () => {
  it('are counted from the first again when one got further before it failed', () => {
    expect(after(failed(0), failed(0), failed(0))).toMatchObject({ failures: 3 });
    expect(after(failed(0), failed(0), failed(2))).toMatchObject({ failures: 1 });
    expect(after(failed(2), failed(0))).toMatchObject({ failures: 2 });
  });

  it('are counted from the first again when one got further before its worker was killed', () => {
    const killed = Array.from({ length: 30 }, () => lost(MOVED));
    expect(after(...killed)).toMatchObject({ lost: 1 });
    expect(after(failed(0), failed(0), lost(MOVED), failed(0))).toEqual({
      ...NO_TROUBLE,
      lost: 1,
      failures: 1,
    });
  });

  it('whose workers stop answering one after the other, and get no further, are counted', () => {
    for (const heartbeat of [undefined, null, {}, { progress: undefined }, { progress: null }])
      expect(after(lost(heartbeat), lost(heartbeat), lost(heartbeat))).toMatchObject({ lost: 3 });
    expect(after(lost(MOVED), lost(), lost())).toMatchObject({ lost: 3 });
  });

  it('cost nothing when their worker was stopped', () => {
    const stopped = ended(
      ApplicationFailure.create({ type: FAILURE_TYPES.workerShutdown, message: 'stopped' }),
    );
    expect(after(stopped, stopped)).toEqual(NO_TROUBLE);
    expect(after(failed(0), stopped)).toMatchObject({ failures: 1 });
  });
});
