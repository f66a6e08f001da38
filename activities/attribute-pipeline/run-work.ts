import { createHash } from 'node:crypto';
import type { Attribute } from '../../src/attribute-pipeline/attribute.js';
import { inputHasher } from '../../src/attribute-pipeline/input-hash.js';
import type {
  AttributePlan,
  BudgetReached,
  EntityFailure,
} from '../../src/attribute-pipeline/plan.js';
import type {
  Candidate,
  EntityOutcome,
  RunBatch,
  RunCatalog,
  RunPosition,
  RunUsage,
} from '../../src/attribute-pipeline/run-catalog.js';
import type { AttributeRun } from '../../src/attribute-pipeline/run.js';
import { NO_VALUE, viewed, type AttributeValue } from '../../src/attribute-pipeline/value.js';
import type { JsonObject } from '../../src/definition/json.js';
import type { ModelUsage } from '../../src/pipeline/context.js';
import {
  batchEntity,
  computeValues,
  gatherInputs,
  type BatchEntity,
  type BatchModule,
  type BatchSurroundings,
} from './module-batch.js';

/** One activity goes on over batches for so long, or so many entities. */
const WORK_MS = 10_000;
const WORK_ENTITIES = 50_000;

/** Batches that are worked on at once: modules wait, for models above all, and writing takes its time, too. */
const OVERLAP = 2;

/** Entities of the first batch under a budget, when nobody knows what one costs. */
const PROBED = 1;

/** What the work of a run is made of. */
export interface RunWorkParts {
  readonly runs: RunCatalog;
  readonly run: AttributeRun;
  readonly plan: AttributePlan;
  /** All of the entity type. */
  readonly attributes: readonly Attribute[];
  /** In the order of the plan. */
  readonly modules: readonly BatchModule[];
  readonly surroundings: Omit<BatchSurroundings, 'attribute' | 'pipelineVersion'>;
  /** What a use of a model has cost; null where it has no price. */
  readonly costOf: (usage: ModelUsage) => number | null;
  /** Called after each batch, with how many entities were looked at since the work began. */
  readonly onWritten: (position: RunPosition, looked: number) => void;
}

/** How far the work of a run has come. */
export interface WorkOutcome {
  /** There is nothing more to look at, or a failure has ended it. */
  readonly done: boolean;
  /** Where it has stopped. */
  readonly position: RunPosition;
  /** Entities that it has looked at. */
  readonly looked: number;
  /** The entity that has ended it, where failures do. */
  readonly failure?: EntityFailure;
  /** The budget that it has stopped for. */
  readonly budget?: BudgetReached;
}

/** A batch that is in the making. */
interface BatchAhead {
  readonly count: number;
  readonly batch: Promise<RunBatch>;
}

/** Computes the values of a run's entities, batch by batch, for as long as one activity may take. What was written stays. */
export class RunWork {
  readonly #parts: RunWorkParts;
  readonly #surroundings: BatchSurroundings;
  readonly #hash: (inputs: JsonObject) => string;
  readonly #sources: readonly BatchModule[];
  readonly #processors: readonly BatchModule[];
  readonly #startedAt = performance.now();
  /** Ends what is in the making and will not be written. */
  readonly #stop = new AbortController();
  /** In the order in which they are written. */
  readonly #ahead: BatchAhead[] = [];
  /** The last entity of those that are in the making. */
  #readAfter: string | null = null;
  /** Entities that were given to modules. */
  #looked = 0;
  #isExhausted = false;
  #budget: BudgetReached | undefined;

  constructor(parts: RunWorkParts) {
    const { plan, attributes, modules, surroundings } = parts;
    const attribute = attributes.find(({ id }) => id === plan.attributeId);
    if (attribute === undefined)
      throw new Error(`attribute ${plan.attribute} is none of its entity type`);
    this.#parts = parts;
    const signal = AbortSignal.any([surroundings.signal, this.#stop.signal]);
    this.#surroundings = { ...surroundings, signal, attribute, pipelineVersion: plan.version };
    this.#hash = inputHasher(plan, sha256);
    this.#sources = modules.filter(({ definition }) => definition.type === 'source');
    this.#processors = modules.filter(({ definition }) => definition.type === 'processor');
  }

  /** @throws {@link RunFenceLost}, what modules throw, and the signal's reason */
  async go(): Promise<WorkOutcome> {
    const { runs, run, plan, onWritten } = this.#parts;
    let position = await runs.position(run.id);
    this.#readAfter = position.entityId;
    let written = 0;
    try {
      for (;;) {
        this.#surroundings.signal.throwIfAborted();
        await this.#readAhead(position);
        const next = this.#ahead.shift();
        if (next === undefined)
          return {
            done: this.#isExhausted,
            position,
            looked: written,
            ...(this.#budget !== undefined && { budget: this.#budget }),
          };
        const batch = await next.batch;
        position = await runs.write(run.id, position, batch, new Date());
        written += next.count;
        onWritten(position, written);
        const failure = plan.onError === 'abort' ? firstFailure(batch) : undefined;
        if (failure !== undefined) return { done: true, position, looked: written, failure };
      }
    } finally {
      this.#stop.abort();
      await Promise.allSettled(this.#ahead.map(({ batch }) => batch));
    }
  }

  /** Begins with the next batches while the one before them waits for its modules, or is written. */
  async #readAhead(position: RunPosition): Promise<void> {
    const { runs, run } = this.#parts;
    while (this.#ahead.length < OVERLAP && !this.#isExhausted) {
      if (performance.now() - this.#startedAt > WORK_MS || this.#looked >= WORK_ENTITIES) return;
      const making = this.#ahead.reduce((sum, { count }) => sum + count, 0);
      const left = (run.task.maxEntities ?? Infinity) - position.seen - making;
      const limit = Math.min(run.batchSize, left, await this.#affordable(making));
      // It is looked at again when what is in the making was written.
      if (limit < 1 && left >= 1) return;
      const candidates = limit < 1 ? [] : await runs.candidates(run.id, this.#readAfter, limit);
      const last = candidates.at(-1);
      if (last === undefined) {
        this.#isExhausted = true;
        return;
      }
      this.#readAfter = last.entityId;
      this.#looked += candidates.length;
      const batch = this.#batch(candidates);
      // It is awaited when its turn comes.
      batch.catch(() => undefined);
      this.#ahead.push({ count: candidates.length, batch });
    }
  }

  /** How many entities the budgets of the pipeline allow; notes the budget when it is used up. */
  async #affordable(making: number): Promise<number> {
    const { runs, run } = this.#parts;
    const spending = await runs.spending(run.id, new Date());
    const { left, averageCost } = spending;
    if (left === undefined) return Infinity;
    this.#budget = left.rest > 0 ? undefined : left.budget;
    if (left.rest <= 0) return 0;
    // Nobody knows yet what an entity costs.
    if (averageCost === null) return making === 0 ? PROBED : 0;
    if (averageCost === 0) return Infinity;
    const affordable = Math.floor(left.rest / averageCost) - making;
    // Less than one is left: the last one may cost a little more than that.
    return affordable < 1 && making === 0 ? 1 : affordable;
  }

  async #batch(candidates: readonly Candidate[]): Promise<RunBatch> {
    const { runs, run, plan } = this.#parts;
    const ids = candidates.map(({ entityId }) => entityId);
    const names = [...new Set([...plan.inputs, plan.attribute])];
    const values = await runs.values(plan.entityType, ids, names);
    const valueOf = (entityId: string, name: string): AttributeValue =>
      values.get(entityId)?.get(name) ?? NO_VALUE;
    const entities = ids.map((id) => batchEntity(id, valueOf(id, plan.attribute).current ?? null));
    const gathered = await gatherInputs(
      this.#sources,
      entities,
      this.#surroundings,
      ({ definition, settings }, entityId) => {
        const view = definition.inputView?.(settings) ?? 'with_override';
        const asked = definition.inputAttributes?.(settings) ?? [];
        return Object.fromEntries(
          asked.map((name) => [name, viewed(valueOf(entityId, name), view) ?? null]),
        );
      },
    );
    const hashes = gathered.map(({ inputs }) => this.#hash(inputs));
    const isUnchanged = gathered.map(
      ({ entityId, end }, at) =>
        end === undefined &&
        !run.task.force &&
        valueOf(entityId, plan.attribute).inputHash === hashes[at],
    );
    const computed = await computeValues(
      this.#processors,
      gathered.filter((_, at) => isUnchanged[at] !== true),
      this.#surroundings,
    );
    const found = new Map(computed.map((entity) => [entity.entityId, entity]));
    const versions = (entityId: string): Readonly<Record<string, number>> =>
      Object.fromEntries(plan.inputs.map((name) => [name, valueOf(entityId, name).version]));
    return {
      outcomes: candidates.map((candidate, at) => {
        const entity = found.get(candidate.entityId);
        const outcome: EntityOutcome =
          entity === undefined
            ? { kind: 'unchanged' }
            : outcomeOf(entity, hashes[at] ?? '', versions(candidate.entityId));
        return { ...candidate, outcome };
      }),
      usage: usageOf(computed, this.#parts.costOf),
      warnings: computed.flatMap(({ warnings }) => warnings),
    };
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function outcomeOf(
  { end, value, confidence, justification, meta }: BatchEntity,
  inputHash: string,
  inputs: Readonly<Record<string, number>>,
): EntityOutcome {
  if (end?.kind === 'failed') return end;
  if (end?.kind === 'skipped') return end;
  return {
    kind: 'computed',
    result: { value, confidence, justification, meta, inputHash, inputs },
  };
}

function firstFailure({ outcomes }: RunBatch): WorkOutcome['failure'] {
  for (const { entityId, outcome } of outcomes)
    if (outcome.kind === 'failed')
      return { entityId, module: outcome.module, message: outcome.message };
  return undefined;
}

/** What models have taken, by model. */
function usageOf(
  entities: readonly BatchEntity[],
  costOf: (usage: ModelUsage) => number | null,
): readonly RunUsage[] {
  const byModel = new Map<string, RunUsage>();
  for (const usage of entities.flatMap((entity) => entity.usage)) {
    const { model, inputTokens, outputTokens } = usage;
    const known = byModel.get(model);
    const cost = costOf(usage);
    byModel.set(model, {
      model,
      calls: (known?.calls ?? 0) + 1,
      tokensIn: (known?.tokensIn ?? 0) + inputTokens,
      tokensOut: (known?.tokensOut ?? 0) + outputTokens,
      cost: cost === null ? (known?.cost ?? null) : (known?.cost ?? 0) + cost,
    });
  }
  return [...byModel.values()];
}
