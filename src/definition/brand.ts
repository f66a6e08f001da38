/**
 * Marks what `defineX` made. A global symbol, since a project's files may hold another copy of this package than the
 * process that loads them, where `instanceof` would say no.
 */
export const DEFINITION = Symbol.for('millrace.definition');

/** The kinds of things that a project's files can export. */
export type DefinitionKind =
  | 'operation'
  | 'pipeline'
  | 'workflow'
  | 'config'
  | 'data_flow'
  | 'source'
  | 'sink'
  | 'transform'
  | 'record'
  | 'record_store'
  | 'record_pipeline'
  | 'module'
  | 'task'
  | 'step_handler'
  | 'subscriber';

/** Anything that `defineX` made. */
export interface Branded<K extends DefinitionKind = DefinitionKind> {
  readonly [DEFINITION]: K;
}

/** True when the value was made by the `defineX` of that kind. */
export function isDefinition<K extends DefinitionKind>(
  value: unknown,
  kind: K,
): value is Branded<K> {
  return isAnyDefinition(value) && value[DEFINITION] === kind;
}

/** True for whatever some `defineX` made. Connectors can be called, so that they are functions. */
export function isAnyDefinition(value: unknown): value is Branded {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    DEFINITION in value
  );
}
