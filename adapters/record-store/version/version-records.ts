import type { VersionInfo } from '../../../src/record-store/store.js';
import { InvalidQuery, ReadOnlyVersion } from '../../../src/record-store/errors.js';
import { guarded, openToRead } from '../connection.js';
import { RecordQuery, type RecordSource } from '../query.js';
import type { RecordHost, StoredRecord } from '../record-class.js';
import type { RecordModel, RecordModels } from '../record-model.js';
import { RecordReader } from '../record-reader.js';
import type { Selection } from '../select.js';

/** The records of a version: the same as those of the store, but that nothing of them changes. Its file is opened when it is first read. */
export class VersionRecords implements RecordSource, RecordHost {
  #reader: RecordReader | undefined;

  constructor(
    readonly info: VersionInfo,
    readonly models: RecordModels,
  ) {}

  query(name: string): RecordQuery {
    const model = this.models.get(name);
    if (model === undefined) throw new InvalidQuery(`The store has no record type "${name}".`);
    return new RecordQuery(this, model);
  }

  read(model: RecordModel, selection: Selection): readonly StoredRecord[] {
    const { reader } = this;
    return guarded(this.info.file, () => reader.rows(model, selection)).map(reader.maker(model));
  }

  count(model: RecordModel, selection: Selection): number {
    return guarded(this.info.file, () => this.reader.count(model, selection));
  }

  many(record: StoredRecord, to: string, foreignKey: string): RecordQuery {
    return this.query(to).where({ [foreignKey]: record.id });
  }

  one(to: string, id: number): StoredRecord | undefined {
    return this.query(to).where({ id }).first();
  }

  update(): never {
    throw new ReadOnlyVersion(this.info.id);
  }

  remove(): never {
    throw new ReadOnlyVersion(this.info.id);
  }

  close(): void {
    this.#reader?.db.close();
    this.#reader = undefined;
  }

  private get reader(): RecordReader {
    this.#reader ??= new RecordReader(openToRead(this.info.file), this.models, this);
    return this.#reader;
  }
}
