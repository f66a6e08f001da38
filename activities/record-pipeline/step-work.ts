import { errorMessage, errorName, errorStack } from '../../adapters/error-parts.js';
import type { Statement } from '../../adapters/record-store/connection.js';
import type { LiveRecords } from '../../adapters/record-store/live-records.js';
import type { RecordQuery } from '../../adapters/record-store/query.js';
import { idOf, type Row } from '../../adapters/record-store/row.js';
import type { Selection } from '../../adapters/record-store/select.js';
import { durationMsOrNone } from '../../src/definition/duration.js';
import type { RecordFailure } from '../../src/record-pipeline/run.js';
import type { Step } from '../../src/record-pipeline/record-pipeline.js';
import { RECORD_DEFAULTS } from '../../src/record-pipeline/limits.js';
import type { Condition } from '../../src/record-store/condition.js';

/** The run that a step is worked on for. */
export interface WorkOfRun {
  readonly id: string;
  readonly pipeline: string;
  /** Only records that have failed in earlier runs of the pipeline. */
  readonly retryFailed: boolean;
  /** How often all steps were looked at before. */
  readonly round: number;
}

/** A step of a run that is being drained. */
export class StepWork {
  readonly label: string;
  readonly maxPasses: number;
  readonly timeoutMs: number;
  /** Whether a change of one record can take others out of the query: SQL that selects may look at anything. */
  readonly dependsOnOthers: boolean;
  readonly #hasFailures: Statement;

  constructor(
    readonly step: Step<never>,
    private readonly live: LiveRecords,
    /** Which records, as the step says it now. */
    readonly query: RecordQuery,
    private readonly run: WorkOfRun,
  ) {
    this.label = step.label;
    this.maxPasses = step.maxPasses ?? RECORD_DEFAULTS.maxPasses;
    this.timeoutMs = durationMsOrNone(step.timeout) ?? RECORD_DEFAULTS.bodyTimeoutMs;
    this.dependsOnOthers = query.selection.conditions.some(
      (condition) => condition.kind === 'sql' && /\bselect\b/i.test(condition.text),
    );
    this.#hasFailures = live.db.prepare(
      'select 1 from millrace_failures where run = ? and step = ? limit 1',
    );
  }

  /** The records that are to be worked on: those of the query that have not failed in this run. */
  get selection(): Selection {
    const { model, selection } = this.query;
    const { id, pipeline, retryFailed } = this.run;
    const notFailed: Condition = {
      kind: 'sql',
      text: `not exists (select 1 from millrace_failures f where f.run = ? and f.step = ? and f.record_id = "${model.table}"."id")`,
      values: [id, this.label],
    };
    const failedBefore: Condition = {
      kind: 'sql',
      // Of the whole list, not of each record: it is made once.
      text: `"${model.table}"."id" in (
        select f.record_id from millrace_runs r join millrace_failures f on f.run = r.id
        where r.pipeline = ? and r.id <> ? and f.step = ?)`,
      values: [pipeline, id, this.label],
    };
    const conditions = [
      ...selection.conditions,
      ...(retryFailed ? [failedBefore] : []),
      // Asked of each record, it costs twice what finding one does.
      ...(this.#hasFailures.get(id, this.label) === undefined ? [] : [notFailed]),
    ];
    return { ...selection, conditions };
  }

  failure(row: Row, error: unknown): RecordFailure {
    const stack = errorStack(error);
    return {
      step: this.label,
      record: this.query.model.name,
      recordId: idOf(row),
      // Anything can be thrown.
      name: errorName(error) ?? typeof error,
      message: errorMessage(error),
      ...(stack !== undefined && { stack }),
      at: new Date().toISOString(),
    };
  }

  /**
   * Those of the rows whose bodies have ended that count for {@link maxPasses}: records that are still among those of the query, and in
   * later rounds all of them, since two steps may put each other's records back.
   */
  passed(rows: readonly Row[]): readonly Row[] {
    return this.run.round === 0 ? this.#stillAmong(rows) : rows;
  }

  #stillAmong(rows: readonly Row[]): readonly Row[] {
    if (rows.length === 0) return [];
    const { model, selection } = this.query;
    const these = amongIds(rows.map(idOf));
    const { reader } = this.live;
    const { conditions } = selection;
    const found = new Set(reader.ids(model, { conditions: [...conditions, these], order: [] }));
    return found.size === 0 ? [] : rows.filter((row) => found.has(idOf(row)));
  }

  tooManyPasses(passes: number): Error {
    const { sql, parameters } = this.live.reader.compile(this.query.model, this.query.selection);
    const query = sql.replace(/^.*? from /s, '');
    // JSON has no whole numbers of that size.
    const values = parameters.map((value) => (typeof value === 'bigint' ? String(value) : value));
    const how = this.run.round === 0 ? 'is still' : 'comes back, again and again,';
    const error = new Error(
      `The record was worked on ${String(passes)} times by step "${this.label}" and ${how} among its records (${query}, with ${JSON.stringify(values)}). Have its body change what the query asks for, or raise maxPasses.`,
    );
    error.name = 'TooManyPasses';
    delete error.stack;
    return error;
  }
}

/** Ids that lie close to each other are looked through in their order, which is quicker than finding each. */
const CLOSE = 2;

/** Selects records with these ids; where they lie close to each other, those between them, too. */
function amongIds(ids: readonly number[]): Condition {
  const [first, last] = [Math.min(...ids), Math.max(...ids)];
  return last - first < ids.length * CLOSE
    ? { kind: 'sql', text: '"id" between ? and ?', values: [first, last] }
    : {
        kind: 'sql',
        text: '"id" in (select value from json_each(?))',
        values: [JSON.stringify(ids)],
      };
}
