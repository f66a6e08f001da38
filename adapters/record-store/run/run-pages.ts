import type { KnownRun } from '../../../src/record-pipeline/store-question.js';
import type { RecordFailure } from '../../../src/record-pipeline/run.js';
import type { Connection } from '../connection.js';

const RUN_COLUMNS = `id, pipeline, workflow_id as "workflowId", status, started_at as "startedAt",
  seen_at as "seenAt", ended_at as "endedAt", completed, failed`;

/** The run that works on the store. */
export function activeRun(db: Connection): KnownRun | undefined {
  const sql = `select ${RUN_COLUMNS} from millrace_runs where ended_at is null`;
  return db.prepare<unknown[], KnownRun>(sql).get();
}

/** A run of a pipeline. */
export function findRun(db: Connection, pipeline: string, run: string): KnownRun | undefined {
  const sql = `select ${RUN_COLUMNS} from millrace_runs where id = ? and pipeline = ?`;
  return db.prepare<unknown[], KnownRun>(sql).get(run, pipeline);
}

/** Runs of a pipeline, newest first; those before one of them, where one is named. */
export function runsOf(
  db: Connection,
  pipeline: string,
  { before = null, limit }: { readonly before?: string | null | undefined; readonly limit: number },
): readonly KnownRun[] {
  return db
    .prepare<unknown[], KnownRun>(
      `select ${RUN_COLUMNS} from millrace_runs
       where pipeline = @pipeline and (@before is null or (started_at, id) <
         (select started_at, id from millrace_runs where id = @before))
       order by started_at desc, id desc limit @limit`,
    )
    .all({ pipeline, before, limit });
}

/** Where a list of failures goes on: after one that happened then, in that step, with that record. */
export type FailurePlace = readonly [at: string, step: string, recordId: number];

/** What has failed in a run, in the order in which it happened. */
export function failuresOf(
  db: Connection,
  run: string,
  { after, limit }: { readonly after?: FailurePlace | undefined; readonly limit: number },
): readonly RecordFailure[] {
  const [at = '', step = '', recordId = 0] = after ?? [];
  const rows = db
    .prepare<unknown[], Omit<RecordFailure, 'stack'> & { readonly stack: string | null }>(
      `select step, record_type as record, record_id as "recordId", name, message, stack, at
       from millrace_failures where run = @run and (at, step, record_id) > (@at, @step, @recordId)
       order by at, step, record_id limit @limit`,
    )
    .all({ run, at, step, recordId, limit });
  return rows.map(({ stack, ...failure }) => ({ ...failure, ...(stack !== null && { stack }) }));
}

/** The place of a failure, as a text that says nothing to anybody else. */
export function formatFailurePlace({ at, step, recordId }: RecordFailure): string {
  return Buffer.from(JSON.stringify([at, step, recordId])).toString('base64url');
}

/** Reads what {@link formatFailurePlace} has written; undefined for anything else. */
export function parseFailurePlace(text: string): FailurePlace | undefined {
  try {
    const place: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return isFailurePlace(place) ? place : undefined;
  } catch {
    return undefined;
  }
}

function isFailurePlace(place: unknown): place is FailurePlace {
  if (!Array.isArray(place)) return false;
  const [at, step, recordId] = place as readonly unknown[];
  return typeof at === 'string' && typeof step === 'string' && Number.isSafeInteger(recordId);
}
