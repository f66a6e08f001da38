/** What `millrace/records` exports: stores of records, and the pipelines that drain them. */
export { defineStore, type Store, type StoreActions } from './define-store.js';
export {
  record,
  type RecordActions,
  type RecordDefinition,
  type RecordType,
} from '../../src/record-store/record.js';
