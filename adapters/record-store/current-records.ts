import type { LiveRecords } from './live-records.js';
import type { RecordSource } from './query.js';
import type { RecordHost, StoredRecord } from './record-class.js';
import type { RecordModel } from './record-model.js';
import type { Selection } from './select.js';

/** What records and queries of a store go through: so those that somebody keeps go on when its files were closed and opened again. */
export class CurrentRecords implements RecordSource, RecordHost {
  constructor(private readonly live: () => LiveRecords) {}

  read(model: RecordModel, selection: Selection): readonly StoredRecord[] {
    return this.live().read(model, selection);
  }

  count(model: RecordModel, selection: Selection): number {
    return this.live().count(model, selection);
  }

  update(record: StoredRecord, values: Readonly<Record<string, unknown>>): void {
    this.live().update(record, values);
  }

  remove(record: StoredRecord): void {
    this.live().remove(record);
  }

  many(record: StoredRecord, to: string, foreignKey: string): unknown {
    return this.live().many(record, to, foreignKey);
  }

  one(to: string, id: number): unknown {
    return this.live().one(to, id);
  }
}
