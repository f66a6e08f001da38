import { setTimeout as sleep } from 'node:timers/promises';
import {
  async,
  defineRecordPipeline,
  step,
  sync,
  type RecordPipeline,
  type Step,
} from '../../src/record-pipeline/record-pipeline.js';
import { STEP_COLUMNS, type StepColumn, type Users } from './users.js';

/** What a measured pipeline is like. */
export interface DrainOptions {
  /** Of how many steps: the first of {@link STEP_COLUMNS}. */
  readonly steps: number;
  /** Bodies at once; absent: `sync()`, one after the other. */
  readonly concurrency?: number;
  /** What a body waits for before it changes its record, as for a request; 0: nothing. */
  readonly waitMs: number;
}

/** The measured pipeline: each body updates one boolean. */
export function drainUsers(
  name: string,
  store: Users,
  { concurrency, steps, waitMs }: DrainOptions,
): RecordPipeline<Users> {
  return defineRecordPipeline(store, {
    name,
    processor: concurrency === undefined ? sync() : async({ concurrency }),
    steps: STEP_COLUMNS.slice(0, steps).map((column) =>
      concurrency === undefined ? quickStep(column) : promisingStep(column, waitMs),
    ),
  });
}

/** What both kinds of steps know of a user. */
interface Changeable {
  readonly update: (change: Readonly<Partial<Record<StepColumn, boolean>>>) => unknown;
}

function quickStep(column: StepColumn): Step<Users> {
  return step({
    label: column,
    records: (s: Users) => s.user.where(undone(column)),
    each: ({ record: user }) => {
      change(user, column);
    },
  });
}

function promisingStep(column: StepColumn, waitMs: number): Step<Users> {
  return step({
    label: column,
    records: (s: Users) => s.user.where(undone(column)),
    each: async ({ record: user }) => {
      if (waitMs > 0) await sleep(waitMs);
      change(user, column);
    },
  });
}

function undone(column: StepColumn): Readonly<Partial<Record<StepColumn, boolean>>> {
  return { [column]: false };
}

function change(user: Changeable, column: StepColumn): void {
  user.update({ [column]: true });
}
