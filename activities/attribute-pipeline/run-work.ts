import type { Attribute } from '../../src/attribute-pipeline/attribute.js';
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
import type { ModelUsage } from '../../src/pipeline/context.js';
import type { JsonObject } from '../../src/definition/json.js';
import { affordableEntities } from './affordable.js';
import { attributeOfPlan, Gathering, processorsOf, type Gathered } from './gathering.js';
import {
  computeValues,
  type BatchEntity,
  type BatchModule,
  type BatchSurroundings,
} from './module-batch.js';
import { noted, usageOf } from './used-models.js';

/** One activity goes on over batches for so long, or so many entities. */
const WORK_MS = 10_000;
const WORK_ENTITIES = 50_000;

/** Batches that are worked on at once: modules wait, for models above all, and writing takes its time, too. */
const OVERLAP = 2;

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
  /** What models have answered for it so far. */
  readonly answers: readonly ModelUsage[];
}

/** Computes the values of a run's entities, batch by batch, for as long as one activity may take. What was written stays. */
export class RunWork {
  readonly #parts: RunWorkParts;
  readonly #surroundings: BatchSurroundings;
  readonly #gathering: Gathering;
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
  #hasBudget = false;

  constructor(parts: RunWorkParts) {
    const { runs, plan, attributes, modules, surroundings } = parts;
    const attribute = attributeOfPlan(plan, attributes);
    this.#parts = parts;
    const signal = AbortSignal.any([surroundings.signal, this.#stop.signal]);
    this.#surroundings = { ...surroundings, signal, attribute, pipelineVersion: plan.version };
    this.#gathering = new Gathering({ runs, plan, modules, surroundings: this.#surroundings });
    this.#processors = processorsOf(modules);
  }

  /** @throws {@link RunFenceLost}, what modules throw, and the signal's reason */
  async go(): Promise<WorkOutcome> {
    const { runs, run, plan, onWritten } = this.#parts;
    let position = await runs.position(run.id);
    this.#readAfter = position.entityId;
    let written = 0;
    let next: BatchAhead | undefined;
    try {
      for (;;) {
        this.#surroundings.signal.throwIfAborted();
        await this.#readAhead(position);
        next = this.#ahead.shift();
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
        next = undefined;
        onWritten(position, written);
        const failure = plan.onError === 'abort' ? firstFailure(batch) : undefined;
        if (failure !== undefined) return { done: true, position, looked: written, failure };
      }
    } finally {
      this.#stop.abort();
      await this.#countUnwritten(position, [...(next === undefined ? [] : [next]), ...this.#ahead]);
    }
  }

  /** What models have answered costs, also where nothing is written of it: a failure has ended the run before it, or somebody has. */
  async #countUnwritten(position: RunPosition, batches: readonly BatchAhead[]): Promise<void> {
    const { runs, run, costOf } = this.#parts;
    await Promise.allSettled(batches.map(({ batch }) => batch));
    const usage = usageOf(
      batches.flatMap(({ answers }) => answers),
      costOf,
    );
    if (usage.length === 0) return;
    const nothing: RunBatch = { outcomes: [], usage, warnings: [] };
    try {
      await runs.write(run.id, position, nothing, new Date());
    } catch (error) {
      // Another attempt has taken over, or the catalog is away: what has ended the work is what is told.
      this.#surroundings.log.warn({ err: error, usage }, 'what models have taken was not counted');
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
      const answers: ModelUsage[] = [];
      const batch = this.#batch(candidates, answers);
      // It is awaited when its turn comes.
      batch.catch(() => undefined);
      this.#ahead.push({ count: candidates.length, batch, answers });
    }
  }

  /** How many entities the budgets of the pipeline allow; notes the budget when it is used up. */
  async #affordable(making: number): Promise<number> {
    const { runs, run } = this.#parts;
    const spending = await runs.spending(run.id, new Date());
    const { left } = spending;
    this.#hasBudget = left !== undefined;
    this.#budget = left !== undefined && left.rest <= 0 ? left.budget : undefined;
    return affordableEntities(spending, making);
  }

  async #batch(candidates: readonly Candidate[], answers: ModelUsage[]): Promise<RunBatch> {
    const { run, plan, surroundings } = this.#parts;
    const gathered = await this.#gathering.gather(candidates.map(({ entityId }) => entityId));
    const { force, retryOf } = run.task;
    // What has failed is tried again, whatever an older value was computed from.
    const isUnchanged = ({ entityId, end }: BatchEntity): boolean =>
      end === undefined &&
      !force &&
      retryOf === undefined &&
      gathered.valueOf(entityId, plan.attribute).inputHash === gathered.hashOf(entityId);
    const computed = await computeValues(
      this.#processors,
      gathered.entities.filter((entity) => !isUnchanged(entity)),
      {
        ...this.#surroundings,
        model: (name) => noted(surroundings.model(name), (usage) => answers.push(usage)),
      },
    );
    const found = new Map(computed.map((entity) => [entity.entityId, entity]));
    const usage = usageOf(
      computed.flatMap((entity) => entity.usage),
      this.#parts.costOf,
    );
    return {
      outcomes: candidates.map((candidate) => {
        const { entityId } = candidate;
        const entity = found.get(entityId);
        const outcome: EntityOutcome =
          entity === undefined ? { kind: 'unchanged' } : this.#outcomeOf(entity, gathered);
        return { entityId, changeSeq: candidate.changeSeq, outcome };
      }),
      usage,
      warnings: [...computed.flatMap(({ warnings }) => warnings), ...this.#priceless(usage)],
    };
  }

  /** Who has set a budget believes that it holds. */
  #priceless(usage: readonly RunUsage[]): readonly string[] {
    if (!this.#hasBudget) return [];
    return usage.flatMap(({ model, cost }) =>
      cost === null
        ? [
            `Model "${model}" has no price in config.yml: what it takes is not held against the budget.`,
          ]
        : [],
    );
  }

  #outcomeOf(entity: BatchEntity, gathered: Gathered): EntityOutcome {
    const { entityId, end, value, confidence, justification, usage } = entity;
    const inputHash = gathered.hashOf(entityId);
    if (end?.kind === 'skipped') {
      const { kind, reason, by } = end;
      // What a source has nothing of yet is not all that there may be.
      return { kind, reason, ...(by === 'processor' && { inputHash }) };
    }
    if (end !== undefined) return end;
    const used = usageOf(usage, this.#parts.costOf);
    // What a value has cost is kept with it: runs only know what all of theirs have.
    const meta: JsonObject =
      usage.length === 0 ? entity.meta : { ...entity.meta, usage: used.map(usageData) };
    const inputs = gathered.versionsOf(entityId);
    return {
      kind: 'computed',
      result: { value, confidence, justification, meta, inputHash, inputs },
    };
  }
}

function usageData({ model, calls, tokensIn, tokensOut, cost }: RunUsage): JsonObject {
  return { model, calls, tokens_in: tokensIn, tokens_out: tokensOut, cost };
}

function firstFailure({ outcomes }: RunBatch): WorkOutcome['failure'] {
  for (const { entityId, outcome } of outcomes)
    if (outcome.kind === 'failed')
      return { entityId, module: outcome.module, message: outcome.message };
  return undefined;
}
