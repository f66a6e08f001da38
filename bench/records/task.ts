import type { VersionsOfRuns } from '../../src/record-store/store.js';
import type { DrainOptions } from './drain-users.js';

/** What one measured process is asked for. */
export interface RecordTask extends DrainOptions {
  /** The folder of its store, which is filled already. */
  readonly dir: string;
  readonly records: number;
  readonly versions: VersionsOfRuns;
  /** Of the Temporal server. */
  readonly address: string;
  /** The socket of Redis; empty where there is none. */
  readonly redis: string;
}

/** What it has measured. */
export interface RecordResult {
  /** Bodies that have changed their record. */
  readonly bodies: number;
  /** From the first step of the work to its end; the start of the process and its connections are not in it. */
  readonly ms: number;
}
