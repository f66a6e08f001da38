import type { PropertyViolation } from '../contract/violation.js';

/** What a record store refuses. The message says what is wrong, where, and what to do. */
export abstract class RecordStoreError extends Error {}

/** There is no such record. */
export class RecordNotFound extends RecordStoreError {
  override readonly name = 'RecordNotFound';
  constructor(
    readonly record: string,
    readonly id: number,
  ) {
    super(`There is no ${record} with the id ${String(id)}.`);
  }
}

/** A record would hold what its columns or its validation do not allow. Nothing of it is kept. */
export class RecordInvalid extends RecordStoreError {
  override readonly name = 'RecordInvalid';
  constructor(
    readonly record: string,
    /** Undefined for one that was to be created. */
    readonly id: number | undefined,
    readonly violations: readonly PropertyViolation[],
  ) {
    const what = id === undefined ? `A new ${record}` : `${record} ${String(id)}`;
    super(`${what} is not valid: ${violations.map(({ message }) => message).join('; ')}`);
  }
}

/** A record was changed by somebody else since it was read here. */
export class RecordChanged extends RecordStoreError {
  override readonly name = 'RecordChanged';
  constructor(
    readonly record: string,
    readonly id: number,
  ) {
    super(
      `${record} ${String(id)} was changed or deleted by somebody else since it was read. Nothing was written: read it again.`,
    );
  }
}

/** A condition or a query that cannot be made SQL of. */
export class InvalidQuery extends RecordStoreError {
  override readonly name = 'InvalidQuery';
}

/** A change was asked of what can only be read: a version. */
export class ReadOnlyVersion extends RecordStoreError {
  override readonly name = 'ReadOnlyVersion';
  constructor(readonly version: string) {
    super(`Version ${version} can only be read. Restore it to go on from it.`);
  }
}

/** The files of a store cannot be used as they are. Nothing was changed in them. */
export class StoreUnusable extends RecordStoreError {
  override readonly name: string = 'StoreUnusable';
  constructor(
    /** The file or folder that it is about. */
    readonly file: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`${file}: ${message}`, options);
  }
}

/** A migration that has run already was changed since. */
export class MigrationChanged extends StoreUnusable {
  override readonly name = 'MigrationChanged';
  constructor(
    file: string,
    readonly migration: string,
    /** ISO 8601. */
    readonly ranAt: string,
  ) {
    super(
      file,
      `the migration "${migration}" ran on ${ranAt} and was changed since. It is not run again: restore its text, and write what is new as another migration.`,
    );
  }
}

/** The store is being worked on by a run, and what was asked for would pull it away from under it. */
export class StoreBusy extends RecordStoreError {
  override readonly name = 'StoreBusy';
  constructor(
    readonly dir: string,
    readonly run: string,
    readonly startedAt: string,
  ) {
    super(
      `${dir}: the run ${run} has been working on this store since ${startedAt}. Wait for its end, or cancel it.`,
    );
  }
}

/** A version that there is not, or not any more. */
export class NoSuchVersion extends RecordStoreError {
  override readonly name = 'NoSuchVersion';
  constructor(
    readonly dir: string,
    readonly version: string,
    newest: readonly string[],
  ) {
    const known = newest.length === 0 ? 'It has none.' : `The newest are ${newest.join(', ')}.`;
    super(`${dir} has no version ${JSON.stringify(version)}. ${known}`);
  }
}

/** Reading took longer than anybody waits. Nothing was changed. */
export class StoreReadTimeout extends RecordStoreError {
  override readonly name = 'StoreReadTimeout';
  constructor(
    readonly file: string,
    readonly timeoutMs: number,
  ) {
    super(
      `${file}: reading took longer than ${String(timeoutMs / 1_000)} s and was given up. Ask for less, or add an index for what is asked.`,
    );
  }
}
