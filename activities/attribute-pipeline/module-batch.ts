import {
  missingEntity,
  namedEntities,
  valueProblem,
} from '../../src/attribute-pipeline/attribute.js';
import type {
  ModuleContext,
  ModuleDefinition,
  ModuleResult,
  ModuleSurroundings,
} from '../../src/attribute-pipeline/module.js';
import { isPlainObject, type Json, type JsonObject } from '../../src/definition/json.js';
import type { ModelUsage } from '../../src/pipeline/context.js';

/** A module of a pipeline, with its settings as its schema gives them. */
export interface BatchModule {
  readonly definition: ModuleDefinition;
  readonly settings: JsonObject;
}

/** An entity of a batch, on its way through the modules. */
export interface BatchEntity {
  readonly entityId: string;
  /** What the sources have given. */
  readonly inputs: JsonObject;
  /** What the processors have come to so far; before the first one, the attribute's current value. */
  readonly value: Json;
  readonly confidence: number | null;
  readonly justification: string | null;
  readonly meta: JsonObject;
  readonly usage: readonly ModelUsage[];
  readonly warnings: readonly string[];
  /** Why the modules that follow do not get it. */
  readonly end?:
    | {
        readonly kind: 'skipped';
        readonly reason: string;
        readonly by: ModuleDefinition['type'];
      }
    | { readonly kind: 'failed'; readonly module: string; readonly message: string };
}

/** What all modules of a batch get. */
export interface BatchSurroundings extends Omit<ModuleSurroundings<never>, 'settings'> {
  readonly pipelineVersion: number;
  /** What the attribute's values name; absent where they name no entities. */
  readonly related?: RelatedEntities;
}

/** Entities that values name. */
export interface RelatedEntities {
  readonly entityType: string;
  /** Those of the ids that are none of the type. */
  readonly missing: (ids: readonly string[]) => Promise<ReadonlySet<string>>;
}

/** A module has not kept to what modules promise. The attempt is lost: nothing that it gave can be trusted. */
export class ModuleBroken extends Error {
  override readonly name = 'ModuleBroken';
  constructor(
    readonly module: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`Module ${module}: ${message}`, options);
  }
}

/** Longest time of one batch in one module where it sets none, in seconds. */
const TIMEOUT_SECONDS = 600;

/** Why the signal of a batch is aborted that has come to its end. One for all: its stack would cost more than most batches do. */
const BATCH_OVER = new Error('The batch is over.');

/** Most characters of what is kept of one failure. */
const MAX_MESSAGE = 2_000;

/** An entity before its first module. */
export function batchEntity(entityId: string, value: Json): BatchEntity {
  return {
    entityId,
    inputs: {},
    value,
    confidence: null,
    justification: null,
    meta: {},
    usage: [],
    warnings: [],
  };
}

/**
 * Has the sources say what each entity's value is to be computed from: what they give together.
 *
 * @param given - what a source asks for of an entity's attributes
 * @throws {@link ModuleBroken}, what a module throws, and the signal's reason
 */
export async function gatherInputs(
  sources: readonly BatchModule[],
  entities: readonly BatchEntity[],
  surroundings: BatchSurroundings,
  given: (source: BatchModule, entityId: string) => JsonObject,
): Promise<readonly BatchEntity[]> {
  const gathered: JsonObject[] = entities.map(() => ({}));
  let batch = entities;
  for (const source of sources) {
    const asked = batch.map((entity) => ({ ...entity, inputs: given(source, entity.entityId) }));
    batch = await through(source, asked, surroundings, ({ value }, at) => {
      if (!isPlainObject(value))
        return failure(source, 'a source gives an object: inputs by their names');
      gathered[at] = { ...gathered[at], ...(value as JsonObject) };
      return {};
    });
  }
  return batch.map((entity, at) => ({ ...entity, inputs: gathered[at] ?? {} }));
}

/**
 * Has the processors compute the values of entities whose inputs are gathered, one after the other.
 *
 * @throws as {@link gatherInputs}
 */
export async function computeValues(
  processors: readonly BatchModule[],
  entities: readonly BatchEntity[],
  surroundings: BatchSurroundings,
): Promise<readonly BatchEntity[]> {
  let batch = entities;
  for (const processor of processors)
    batch = await through(
      processor,
      batch,
      surroundings,
      ({ value, confidence, justification }) => ({
        value,
        confidence,
        justification,
      }),
    );
  const last = processors.at(-1);
  if (last === undefined) return batch;
  const checked = batch.map((entity) => {
    if (entity.end !== undefined) return entity;
    const problem = valueProblem(surroundings.attribute, entity.value);
    return problem === undefined ? entity : { ...entity, ...failure(last, problem) };
  });
  const { attribute, related } = surroundings;
  if (related === undefined) return checked;
  const named = checked.map(({ end, value }) => (end === undefined ? namedEntities(value) : []));
  const missing = await related.missing([...new Set(named.flat())]);
  return checked.map((entity, at) => {
    const id = named[at]?.find((one) => missing.has(one));
    if (id === undefined) return entity;
    const about = { name: attribute.name, relatedType: related.entityType };
    return { ...entity, ...failure(last, missingEntity(about, id)) };
  });
}

type OkResult = Extract<ModuleResult, { readonly status: 'ok' }>;

/** What a module changes of an entity: what it has come to, or why it has ended. */
type Taken = Partial<Pick<BatchEntity, 'value' | 'confidence' | 'justification' | 'end'>>;

/** What becomes of a result, by its entity's place in the batch. */
type Take = (result: OkResult, at: number) => Taken;

/** Takes those that nothing has ended yet through a module. */
async function through(
  module: BatchModule,
  entities: readonly BatchEntity[],
  surroundings: BatchSurroundings,
  take: Take,
): Promise<readonly BatchEntity[]> {
  const going = entities.flatMap((entity, at) =>
    entity.end === undefined ? [{ entity, at }] : [],
  );
  if (going.length === 0) return entities;
  const results = await resultsOf(
    module,
    going.map(({ entity }) => entity),
    surroundings,
  );
  const after = [...entities];
  for (const [index, { entity, at }] of going.entries()) {
    const result = results[index];
    if (result !== undefined) after[at] = afterModule(module, entity, result, at, take);
  }
  return after;
}

function afterModule(
  module: BatchModule,
  entity: BatchEntity,
  result: ModuleResult,
  at: number,
  take: Take,
): BatchEntity {
  const usage = joined(entity.usage, result.usage);
  switch (result.status) {
    case 'skipped':
      return {
        ...entity,
        usage,
        end: { kind: 'skipped', reason: result.reason, by: module.definition.type },
      };
    case 'error':
      return { ...entity, usage, ...failure(module, result.errors.join('; ')) };
    case 'ok': {
      const { confidence } = result;
      if (confidence !== null && !(confidence >= 0 && confidence <= 1))
        return {
          ...entity,
          usage,
          ...failure(module, `confidence is 0 to 1, and was ${String(confidence)}`),
        };
      return {
        ...entity,
        usage,
        meta: { ...entity.meta, ...result.meta },
        warnings: joined(entity.warnings, result.warnings),
        ...take(result, at),
      };
    }
  }
}

/** Two lists as one. Most modules add nothing: entities by the hundred thousand need no list of their own. */
function joined<T>(before: readonly T[], added: readonly T[]): readonly T[] {
  return added.length === 0 ? before : [...before, ...added];
}

function failure({ definition }: BatchModule, message: string): Required<Pick<Taken, 'end'>> {
  return {
    end: { kind: 'failed', module: definition.slug, message: message.slice(0, MAX_MESSAGE) },
  };
}

/**
 * What a module gives for entities, checked for what all modules promise.
 *
 * @throws {@link ModuleBroken}, what the module throws, and the signal's reason
 */
export async function resultsOf(
  { definition, settings }: BatchModule,
  entities: readonly Pick<BatchEntity, 'entityId' | 'inputs' | 'value' | 'meta'>[],
  { pipelineVersion, signal, related: _related, ...rest }: BatchSurroundings,
): Promise<readonly ModuleResult[]> {
  const contexts = entities.map(({ entityId, inputs, value, meta }, batchIndex): ModuleContext => ({
    entityId,
    attributeId: rest.attribute.id,
    inputs,
    value,
    meta,
    batchIndex,
    pipelineVersion,
  }));
  const { slug, timeoutSeconds = TIMEOUT_SECONDS } = definition;
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort(
      new ModuleBroken(
        slug,
        `a batch took longer than ${String(timeoutSeconds)} s (timeoutSeconds).`,
      ),
    );
  }, timeoutSeconds * 1_000);
  try {
    const both = AbortSignal.any([signal, limit.signal]);
    both.throwIfAborted();
    const working = Promise.resolve(
      definition.process(contexts, { ...rest, settings, signal: both }),
    );
    const results = await Promise.race([working, aborted(both)]);
    checkResults(slug, results, contexts.length);
    return results;
  } finally {
    clearTimeout(timer);
    limit.abort(BATCH_OVER);
  }
}

/** Rejects when a signal is aborted: a module that does not listen to it is left to itself. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener(
      'abort',
      () => {
        reject(signal.reason as Error);
      },
      { once: true },
    );
  });
}

/** Modules are people's own code, whose types may say anything. */
function checkResults(slug: string, results: unknown, count: number): void {
  if (!Array.isArray(results) || results.length !== count)
    throw new ModuleBroken(
      slug,
      `process gives a result for each of the ${String(count)} contexts, and gave ${Array.isArray(results) ? String(results.length) : typeof results}.`,
    );
  const odd = results.findIndex(
    (result) =>
      !isPlainObject(result) || !['ok', 'skipped', 'error'].includes(String(result.status)),
  );
  if (odd !== -1)
    throw new ModuleBroken(
      slug,
      `result ${String(odd)} is none. Make results with moduleResult.ok, moduleResult.skipped and moduleResult.error.`,
    );
}
