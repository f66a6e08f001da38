/**
 * What `millrace/script` exports: what a plain script calls, which no project is around. It is apart from `millrace/records`,
 * so that who only defines or reads a store does not load Temporal's native worker.
 */
export { processRecords, type ProcessOptions, type Processed } from './process-records.js';
export type { RecordFailure } from '../src/record-pipeline/run.js';
