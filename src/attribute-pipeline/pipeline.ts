import type { JsonObject } from '../definition/json.js';

/** What happens when an entity fails: the run ends, or goes on with the others. */
export const ON_ERROR = ['abort', 'continue'] as const;

export type OnError = (typeof ON_ERROR)[number];

/** A module in a pipeline. */
export interface PipelineModule {
  readonly id: string;
  /** Its slug. */
  readonly module: string;
  readonly settings: JsonObject;
}

/** What people set of a pipeline, beside its modules. */
export interface PipelineSettings {
  /** Unique within the entity type, where it is set. */
  readonly name: string | null;
  readonly onError: OnError;
  /** Whether it runs by itself: when something is saved that it reads, and each night. Otherwise only when somebody asks for it. */
  readonly automatic: boolean;
  /** Entities that the modules get at once; null: {@link PIPELINE_DEFAULTS.batchSize}. */
  readonly batchSize: number | null;
  /** What one run, and all runs of one day, may cost at most, in the currency of the models' prices. */
  readonly runBudget: number | null;
  readonly dayBudget: number | null;
}

/** A pipeline as somebody wants it. */
export interface PipelineInput extends PipelineSettings {
  /** With the id of one that is there, it stays that one. */
  readonly modules: readonly (Omit<PipelineModule, 'id'> & { readonly id?: string })[];
  /** Names of the attributes that its sources read. */
  readonly inputs: readonly string[];
  /** One of its sources reads something else, too, which changes without anybody telling. */
  readonly readsElsewhere: boolean;
}

/** How the last run of a pipeline went. */
export interface LastRun {
  readonly at: Date;
  readonly status: string;
  readonly durationMs: number | null;
  readonly processed: number;
  readonly failed: number;
  readonly tokensIn: number | null;
  readonly tokensOut: number | null;
}

/** A pipeline that computes one attribute of an entity type. */
export interface AttributePipeline extends PipelineSettings {
  readonly id: string;
  readonly entityType: string;
  readonly attribute: string;
  readonly attributeId: string;
  readonly modules: readonly PipelineModule[];
  /** Names of the attributes that it reads, in their order. */
  readonly inputs: readonly string[];
  /** It reads something else, too: runs look at all entities. */
  readonly readsElsewhere: boolean;
  /** Counts what values depend on: a change of modules or their settings, not of names. */
  readonly version: number;
  readonly versionAt: Date;
  /** Null before the first. */
  readonly lastRun: LastRun | null;
  readonly lockVersion: number;
  /** Who has edited it last. */
  readonly updatedBy: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What a pipeline has of which nobody has set anything. */
export const UNSET_PIPELINE: PipelineSettings = {
  name: null,
  onError: 'abort',
  automatic: true,
  batchSize: null,
  runBudget: null,
  dayBudget: null,
};

/** What holds where a pipeline sets nothing. */
export const PIPELINE_DEFAULTS = { batchSize: 200 } as const;

/** Limits on pipelines. Each is named in the error that it causes. */
export const PIPELINE_LIMITS = {
  modules: 20,
  batchSize: 5_000,
  /** Bytes of the settings of one module, as JSON. */
  settingsBytes: 256 * 1024,
  nameCharacters: 200,
} as const;

/** What a pipeline is called: also the workflow type of its runs. */
export function pipelineName({
  entityType,
  attribute,
}: Pick<AttributePipeline, 'entityType' | 'attribute'>): string {
  return `${entityType}.${attribute}`;
}
