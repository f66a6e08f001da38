import { hash } from 'node:crypto';
import type { Attribute } from '../../src/attribute-pipeline/attribute.js';
import { inputHasher } from '../../src/attribute-pipeline/input-hash.js';
import type { AttributePlan } from '../../src/attribute-pipeline/plan.js';
import type { RunCatalog } from '../../src/attribute-pipeline/run-catalog.js';
import { NO_VALUE, viewed, type ReadValue } from '../../src/attribute-pipeline/value.js';
import type { Json, JsonObject } from '../../src/definition/json.js';
import {
  batchEntity,
  gatherInputs,
  type BatchEntity,
  type BatchModule,
  type BatchSurroundings,
} from './module-batch.js';

/** Entities with what their values are to be computed from. */
export interface Gathered {
  readonly entities: readonly BatchEntity[];
  /** Of what an entity's value is to be computed from. */
  readonly hashOf: (entityId: string) => string;
  /** What an entity has of an attribute that the pipeline reads or computes. */
  readonly valueOf: (entityId: string, attribute: string) => ReadValue;
  /** The versions of the values that the pipeline reads, by the names of their attributes. */
  readonly versionsOf: (entityId: string) => Readonly<Record<string, number>>;
}

/** What {@link Gathering} needs. */
export interface GatheringParts {
  readonly runs: Pick<RunCatalog, 'values'>;
  readonly plan: AttributePlan;
  /** In the order of the plan. */
  readonly modules: readonly BatchModule[];
  readonly surroundings: BatchSurroundings;
}

/** Gathers what the values of entities are to be computed from, batch by batch. */
export class Gathering {
  readonly #hash: (inputs: JsonObject) => string;
  readonly #sources: readonly BatchModule[];

  constructor(private readonly parts: GatheringParts) {
    this.#hash = inputHasher(parts.plan, sha256);
    this.#sources = parts.modules.filter(({ definition }) => definition.type === 'source');
  }

  /** One query for all of them. @throws what sources throw, and the signal's reason */
  async gather(entityIds: readonly string[]): Promise<Gathered> {
    const { runs, plan, surroundings } = this.parts;
    const names = [...new Set([...plan.inputs, plan.attribute])];
    const values = await runs.values(plan.entityType, entityIds, names);
    const valueOf = (entityId: string, name: string): ReadValue =>
      values.get(entityId)?.get(name) ?? NO_VALUE;
    const entities = await gatherInputs(
      this.#sources,
      entityIds.map((id) => batchEntity(id, valueOf(id, plan.attribute).current ?? null)),
      surroundings,
      ({ definition, settings }, entityId) => {
        const view = definition.inputView?.(settings) ?? 'with_override';
        const asked = definition.inputAttributes?.(settings) ?? [];
        const inputs: Record<string, Json> = {};
        for (const name of asked) inputs[name] = viewed(valueOf(entityId, name), view) ?? null;
        return inputs;
      },
    );
    const hashes = new Map(entities.map(({ entityId, inputs }) => [entityId, this.#hash(inputs)]));
    return {
      entities,
      valueOf,
      hashOf: (entityId) => hashes.get(entityId) ?? '',
      versionsOf: (entityId) => {
        const versions: Record<string, number> = {};
        for (const name of plan.inputs) versions[name] = valueOf(entityId, name).version;
        return versions;
      },
    };
  }
}

/** Those of a plan's modules that compute. */
export function processorsOf(modules: readonly BatchModule[]): readonly BatchModule[] {
  return modules.filter(({ definition }) => definition.type === 'processor');
}

/** The attribute that a plan computes. */
export function attributeOfPlan(
  { attributeId, attribute }: AttributePlan,
  attributes: readonly Attribute[],
): Attribute {
  const found = attributes.find(({ id }) => id === attributeId);
  if (found === undefined) throw new Error(`attribute ${attribute} is none of its entity type`);
  return found;
}

function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}
