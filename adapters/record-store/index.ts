/** What `millrace/records` exports: stores of records, and the pipelines that drain them. */
export { defineStore, type Store, type StoreActions } from './define-store.js';
export {
  record,
  type Link,
  type Links,
  type RecordActions,
  type RecordDefinition,
  type RecordType,
} from '../../src/record-store/record.js';
export type { Columns, NewValues, Values } from '../../src/record-store/column.js';
export type { Comparison, Conditions } from '../../src/record-store/condition.js';
export type { Migration, Migrations } from '../../src/record-store/migration.js';
export type {
  Query,
  ReadableRecords,
  RecordDiff,
  RecordOf,
  Records,
  RecordsOfStore,
  RecordsOfVersion,
  RecordTypes,
  StoreDefinition,
  StoreDiff,
  TableDiff,
  Version,
  VersionInfo,
  VersionPolicy,
  VersionReason,
  VersionsOfRuns,
} from '../../src/record-store/store.js';
export {
  InvalidQuery,
  MigrationChanged,
  NoSuchVersion,
  ReadOnlyVersion,
  RecordChanged,
  RecordInvalid,
  RecordNotFound,
  RecordStoreError,
  StoreBusy,
  StoreUnusable,
} from '../../src/record-store/errors.js';
export {
  AssertionFailure,
  async,
  defineRecordPipeline,
  every,
  step,
  sync,
  type Processor,
  type RecordPipeline,
  type RecordPipelineDefinition,
  type RunStats,
  type RunTimer,
  type Step,
  type StepContext,
  type StepDefinition,
  type StepProgress,
  type StepQuery,
} from '../../src/record-pipeline/record-pipeline.js';
export type { RecordFailure } from '../../src/record-pipeline/run.js';
export {
  ShellFailed,
  type Shell,
  type ShellOptions,
  type ShellResult,
} from '../../src/record-pipeline/shell.js';
export { shell } from '../shell/shell.js';
