import type { JsonObject } from '../definition/json.js';
import type { Failure } from '../pipeline/failure.js';
import type { VersionInfo } from '../record-store/store.js';
import type { StorePlace } from './plan.js';
import type { RecordFailure, RecordRun } from './run.js';

/** Type of the workflow that asks a store something; its function has this name. */
export const STORE_QUESTION_WORKFLOW = 'askRecordStore';

/** Name of the activity that answers, on the task queue of the store. */
export const STORE_QUESTION_ACTIVITY = 'millrace.askRecordStore';

/** Limits on what a store is asked, and on what it answers: answers pass through Temporal, whose payloads have 2 MB at most. */
export const STORE_QUESTION_LIMITS = {
  /** Longest wait for a worker that has the store, and the one for a page that is shown without it, too. */
  waitMs: 10_000,
  glanceMs: 3_000,
  /** Longest time of an answer, and of one that copies the store. */
  readMs: 30_000,
  copyMs: 10 * 60_000,
  /** Most characters of one value, and of all values of one record: longer ones are cut. */
  valueCharacters: 4_000,
  rowCharacters: 60_000,
  /** Most bytes of the entries of one answer, as JSON. */
  answerBytes: 512 * 1024,
  /** Most questions that one process has open. */
  open: 50,
} as const;

/** What can be asked. Limits are those of pages, from 1 unless told otherwise. */
export type StoreQuestion =
  | { readonly kind: 'status' }
  /** Runs of the pipeline, newest first; `before` is the id of one. */
  | { readonly kind: 'runs'; readonly limit: number; readonly before?: string }
  /** One run, with what has failed in it: nothing of that with a limit of 0. */
  | {
      readonly kind: 'run';
      readonly run: string;
      readonly limit: number;
      readonly after?: string;
    }
  /** Newest first; `before` is the id of one. */
  | { readonly kind: 'versions'; readonly limit: number; readonly before?: string }
  | { readonly kind: 'version'; readonly version: string }
  | RecordsQuestion
  /** Without `after` the current state. */
  | {
      readonly kind: 'diff';
      readonly before: string;
      readonly after?: string;
      readonly limit: number;
    }
  /** Makes a version. */
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'restore'; readonly version: string };

/** Asks for records of one type, by their ids. */
export interface RecordsQuestion {
  readonly kind: 'records';
  readonly record: string;
  /** The current ones unless given. */
  readonly version?: string;
  /** Conditions by column, with the operators of `where` in code. */
  readonly where?: JsonObject;
  /** The id after which it goes on. */
  readonly after?: number;
  readonly limit: number;
}

/** What is answered, by the kind of the question. */
export interface StoreAnswers {
  readonly status: StoreStatus;
  readonly runs: RunPage;
  readonly run: RunAnswer;
  readonly versions: VersionPage;
  readonly version: VersionInfo;
  readonly records: RecordPage;
  readonly diff: DiffAnswer;
  readonly snapshot: VersionInfo;
  readonly restore: RestoreAnswer;
}

/** What is answered to a question. */
export type StoreAnswer<Q extends StoreQuestion> = StoreAnswers[Q['kind']];

/** A store, and what is in it. */
export interface StoreStatus {
  /** Absolute, on its own machine. */
  readonly dir: string;
  /** Of the current database. */
  readonly bytes: number;
  /** Records by type. */
  readonly counts: Readonly<Record<string, number>>;
  readonly versions: number;
  /** The run that works on it, which may be of another pipeline. */
  readonly activeRun: KnownRun | null;
}

/** A run as its store knows it. */
export type KnownRun = Omit<RecordRun, 'epoch'>;

/** Runs, and the id to go on before. */
export interface RunPage {
  readonly runs: readonly KnownRun[];
  readonly nextBefore?: string;
}

/** A run, what has failed in it, and where that goes on. */
export interface RunAnswer {
  readonly run: KnownRun;
  readonly failures: readonly RecordFailure[];
  readonly nextAfter?: string;
}

/** Versions, and the id to go on before. */
export interface VersionPage {
  readonly versions: readonly VersionInfo[];
  readonly nextBefore?: string;
}

/** A value that is longer than what is shown of it. */
export interface CutValue {
  readonly id: number;
  readonly column: string;
  /** Of the whole value, as the store keeps it. */
  readonly characters: number;
}

/** Records as JSON, with their ids; and the id to go on after. */
export interface RecordPage {
  readonly records: readonly JsonObject[];
  readonly cut: readonly CutValue[];
  readonly nextAfter?: number;
}

/** What two states differ in, by record type. */
export type DiffAnswer = Readonly<Record<string, DiffOfRecord>>;

/** What differs in the records of one type. */
export interface DiffOfRecord {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  /** The first of them, by id. */
  readonly changes: readonly {
    readonly id: number;
    readonly before: JsonObject | null;
    readonly after: JsonObject | null;
  }[];
  readonly cut: readonly CutValue[];
}

/** What restoring has come to. */
export interface RestoreAnswer {
  /** What is current now. */
  readonly restored: VersionInfo;
  /** What was current until then. */
  readonly replaced: VersionInfo;
}

/** The argument of the workflow that asks. */
export interface StoreQuestionArguments {
  readonly pipeline: string;
  readonly question: StoreQuestion;
  /** Longest wait for a worker that has the store. */
  readonly waitMs: number;
}

/** What the activity is given. */
export type StoreQuestionTask = Pick<StoreQuestionArguments, 'pipeline' | 'question'>;

/** What the activity returns: an answer, or what the store has against the question. That one is no failure of the worker's. */
export type StoreVerdict =
  { readonly answer: StoreAnswers[keyof StoreAnswers] } | { readonly refused: Failure };

/** What the workflow returns. A store that was not found could not answer. */
export type StoreReply =
  | { readonly answer: StoreAnswers[keyof StoreAnswers]; readonly store: StorePlace }
  | { readonly refused: Failure; readonly store?: StorePlace };

/** Types of failures that only questions have. Those of stores keep their own. */
export const STORE_QUESTION_FAILURES = {
  away: 'RecordStoreAway',
  runNotFound: 'RecordRunNotFound',
  typeNotFound: 'RecordTypeNotFound',
} as const;

/** Whether a question copies the store, which takes as long as it is large. */
export function isCopying({ kind }: StoreQuestion): boolean {
  return kind === 'snapshot' || kind === 'restore';
}
