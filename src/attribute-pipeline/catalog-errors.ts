import type { SettingsProblem } from './attribute.js';

/** What the catalog of entities, attributes and their pipelines refuses. The message says what is wrong, where, and what to do. */
export abstract class AttributeCatalogError extends Error {}

/** There is nothing of this name or id. */
export class NotFound extends AttributeCatalogError {
  override readonly name = 'NotFound';
  constructor(
    /** `entity type`, `attribute`, `entity`, `pipeline`, … */
    readonly what: string,
    readonly id: string,
    hint = '',
  ) {
    super(`There is no ${what} ${JSON.stringify(id)}.${hint === '' ? '' : ` ${hint}`}`);
  }
}

/** Something else has this name or key already. */
export class NameTaken extends AttributeCatalogError {
  override readonly name = 'NameTaken';
  constructor(
    readonly what: string,
    readonly taken: string,
  ) {
    super(`There is a ${what} ${JSON.stringify(taken)} already.`);
  }
}

/** Settings that cannot be, or not together. */
export class InvalidSettings extends AttributeCatalogError {
  override readonly name = 'InvalidSettings';
  constructor(
    readonly what: string,
    readonly problems: readonly SettingsProblem[],
  ) {
    super(`${what}: ${problems.map(({ path, message }) => `${path}: ${message}`).join(' ')}`);
  }
}

/** What is wrong with a value. */
export interface ValueProblem {
  /** Of the entity, or the value, among those that were given, from 0. */
  readonly index: number;
  /** Its key or id, where it has one. */
  readonly entity: string | null;
  readonly attribute: string | null;
  readonly message: string;
}

/** Most problems that one error names. */
export const MAX_PROBLEMS_TOLD = 100;

/** Values that an attribute cannot have, or that cannot be written by hand. */
export class InvalidValues extends AttributeCatalogError {
  override readonly name = 'InvalidValues';
  /** The first {@link MAX_PROBLEMS_TOLD}. */
  readonly problems: readonly ValueProblem[];
  constructor(
    problems: readonly ValueProblem[],
    /** What was given: entities with their values, several values, or one. */
    readonly given: 'entities' | 'values' | 'value' = 'entities',
  ) {
    const [first] = problems;
    const entity = first?.entity ?? '';
    const where = entity === '' ? '' : ` (${entity})`;
    const more = problems.length > 1 ? ` And ${String(problems.length - 1)} more.` : '';
    super(`${first?.message ?? 'Nothing fits.'}${where}${more}`);
    this.problems = problems.slice(0, MAX_PROBLEMS_TOLD);
  }
}

/** A filter that cannot be asked. */
export class InvalidFilter extends AttributeCatalogError {
  override readonly name = 'InvalidFilter';
  constructor(
    /** Of the condition, from 0. */
    readonly index: number,
    message: string,
  ) {
    super(message);
  }
}

/** Somebody else has edited it since it was read. */
export class EditConflict extends AttributeCatalogError {
  override readonly name = 'EditConflict';
  constructor(
    readonly what: string,
    /** What the edit was made from. */
    readonly yours: number,
    /** What there is. */
    readonly current: number,
  ) {
    super(
      `${what} was edited meanwhile: your change is of version ${String(yours)}, and there is version ${String(current)}. Nothing was changed: read it again.`,
    );
  }
}

/** It cannot be removed while something needs it. */
export class InUse extends AttributeCatalogError {
  override readonly name = 'InUse';
  constructor(
    readonly what: string,
    readonly by: string,
  ) {
    super(`${what} cannot be removed: ${by}`);
  }
}
