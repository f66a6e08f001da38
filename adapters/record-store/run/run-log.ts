import { RECORD_LIMITS } from '../../../src/record-pipeline/limits.js';
import { StoreBusy } from '../../../src/record-store/errors.js';
import {
  RunTakenOver,
  type RecordFailure,
  type RecordRun,
} from '../../../src/record-pipeline/run.js';
import { guarded, type Connection, type Statement } from '../connection.js';

/** A run as its row has it. */
interface RunRow {
  readonly id: string;
  readonly pipeline: string;
  readonly workflow_id: string;
  readonly epoch: number;
  readonly status: RecordRun['status'];
  readonly started_at: string;
  readonly seen_at: string;
  readonly ended_at: string | null;
  readonly completed: number;
  readonly failed: number;
}

interface FailureRow {
  readonly step: string;
  readonly record_type: string;
  readonly record_id: number;
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  readonly at: string;
}

/** What is recorded of a store's runs, in the store itself: so it is as true as the records. */
export class RunLog {
  readonly #progress: Statement;
  readonly #fail: Statement;
  readonly #pass: Statement;

  constructor(private readonly db: Connection) {
    this.#progress = db.prepare(
      `update millrace_runs set completed = completed + ?, failed = failed + ?, seen_at = ?
       where id = ? and epoch = ? and ended_at is null`,
    );
    this.#fail = db.prepare(
      `insert into millrace_failures (run, step, record_type, record_id, name, message, stack, at)
       values (?, ?, ?, ?, ?, ?, ?, ?)
       on conflict do update set name = excluded.name, message = excluded.message, stack = excluded.stack, at = excluded.at`,
    );
    this.#pass = db
      .prepare(
        `insert into millrace_passes (run, step, record_id, passes) values (?, ?, ?, 1)
         on conflict do update set passes = passes + 1 returning passes`,
      )
      .pluck();
  }

  /**
   * Claims the store for a run; the same run may begin again.
   *
   * @throws {@link StoreBusy} while another run works on it
   */
  begin(
    run: { readonly id: string; readonly pipeline: string; readonly workflowId: string },
    dir: string,
    now: Date,
  ): RecordRun {
    const at = now.toISOString();
    return this.#inTransaction(() => {
      const active = this.active();
      if (active !== undefined && active.id !== run.id)
        throw new StoreBusy(dir, active.id, active.startedAt);
      this.db
        .prepare(
          `insert into millrace_runs (id, pipeline, workflow_id, epoch, status, started_at, seen_at)
             values (?, ?, ?, 0, 'in_progress', ?, ?) on conflict do nothing`,
        )
        .run(run.id, run.pipeline, run.workflowId, at, at);
      this.#trim();
      const begun = this.find(run.id);
      if (begun === undefined) throw new Error(`the run ${run.id} was not written`);
      return begun;
    });
  }

  /**
   * Takes the work of a run over from earlier attempts, which can write nothing more from then on.
   *
   * @returns the epoch to write with
   * @throws {@link RunTakenOver} when the run is over
   */
  takeOver(run: string, now: Date): number {
    const epoch = this.#inTransaction(() =>
      this.db
        .prepare(
          'update millrace_runs set epoch = epoch + 1, seen_at = ? where id = ? and ended_at is null returning epoch',
        )
        .pluck()
        .get(now.toISOString(), run),
    );
    if (epoch === undefined) throw new RunTakenOver(run);
    return Number(epoch);
  }

  /**
   * Adds to the counts of a run, in the transaction of what they count.
   *
   * @throws {@link RunTakenOver} when another attempt, or another run, works on the store by now
   */
  advance(run: string, epoch: number, completed: number, failed: number, now: Date): void {
    const { changes } = this.#progress.run(completed, failed, now.toISOString(), run, epoch);
    if (changes === 0) throw new RunTakenOver(run);
  }

  fail(run: string, failure: RecordFailure): void {
    const { step, record, recordId, name, message, stack, at } = failure;
    const short = (text: string): string => text.slice(0, RECORD_LIMITS.errorCharacters);
    this.#fail.run(
      run,
      step,
      record,
      recordId,
      name,
      short(message),
      stack === undefined ? null : short(stack),
      at,
    );
  }

  /** Counts that a record was worked on and is still among those of its step. @returns how often by now */
  pass(run: string, step: string, recordId: number): number {
    return Number(this.#pass.get(run, step, recordId));
  }

  /** Ends a run, once. @returns false when it is over already, or there is none */
  end(run: string, status: RecordRun['status'], now: Date): boolean {
    const at = now.toISOString();
    return this.#inTransaction(() => {
      this.db.prepare('delete from millrace_passes where run = ?').run(run);
      return (
        this.db
          .prepare(
            'update millrace_runs set status = ?, ended_at = ?, seen_at = ? where id = ? and ended_at is null',
          )
          .run(status, at, at, run).changes === 1
      );
    });
  }

  /** What SQLite has against it is told with the file. */
  #inTransaction<T>(act: () => T): T {
    return guarded(this.db.name, () => this.db.transaction(act).immediate());
  }

  /** Nobody looks at more of them; and a store is not to grow by being worked on. */
  #trim(): void {
    const older = (kept: number): string =>
      `select id from millrace_runs where ended_at is not null order by started_at desc, id desc limit -1 offset ${String(kept)}`;
    const { runsKept, runsKeptWithFailures } = RECORD_LIMITS;
    this.db.exec(`
      delete from millrace_failures where run in (${older(runsKeptWithFailures)});
      delete from millrace_runs where id in (${older(runsKept)});
    `);
  }

  /** Everything that is known of runs. */
  all(): readonly RecordRun[] {
    const rows = this.db.prepare('select * from millrace_runs').all() as RunRow[];
    return rows.flatMap((row) => shown(row) ?? []);
  }

  /** The run that works on the store. */
  active(): RecordRun | undefined {
    return shown(
      this.db.prepare('select * from millrace_runs where ended_at is null').get() as
        RunRow | undefined,
    );
  }

  find(run: string): RecordRun | undefined {
    return shown(
      this.db.prepare('select * from millrace_runs where id = ?').get(run) as RunRow | undefined,
    );
  }

  /** Newest first. */
  list(limit: number): readonly RecordRun[] {
    const rows = this.db
      .prepare('select * from millrace_runs order by started_at desc, id desc limit ?')
      .all(limit) as RunRow[];
    return rows.flatMap((row) => shown(row) ?? []);
  }

  failures(run: string, limit: number): readonly RecordFailure[] {
    const rows = this.db
      .prepare('select * from millrace_failures where run = ? order by at, step, record_id limit ?')
      .all(run, limit) as FailureRow[];
    return rows.map(({ step, record_type, record_id, name, message, stack, at }) => ({
      step,
      record: record_type,
      recordId: record_id,
      name,
      message,
      ...(stack !== null && { stack }),
      at,
    }));
  }
}

function shown(row: RunRow | undefined): RecordRun | undefined {
  if (row === undefined) return undefined;
  const {
    id,
    pipeline,
    workflow_id,
    epoch,
    status,
    started_at,
    seen_at,
    ended_at,
    completed,
    failed,
  } = row;
  return {
    id,
    pipeline,
    workflowId: workflow_id,
    epoch,
    status,
    startedAt: started_at,
    seenAt: seen_at,
    endedAt: ended_at,
    completed,
    failed,
  };
}
