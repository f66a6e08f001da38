import type { z } from 'zod';
import { DEFINITION, type Branded } from '../definition/brand.js';
import { callerSite } from '../definition/call-site.js';
import type { Json, JsonObject } from '../definition/json.js';
import type { Site } from '../definition/problem.js';
import type {
  Log,
  ModelReference,
  ModelUsage,
  RunReference,
  Services,
} from '../pipeline/context.js';
import type { Attribute, SettingsProblem } from './attribute.js';
import type { Sandbox } from './sandbox.js';
import type { ValueView } from './value.js';

/** Sources say what a value is computed from, processors compute it. */
export type ModuleType = 'source' | 'processor';

/** One entity of a batch, as a module sees it. */
export interface ModuleContext {
  readonly entityId: string;
  readonly attributeId: string;
  /** A source's: what it asks for of the entity's attributes. A processor's: what the sources have given. By name. */
  readonly inputs: JsonObject;
  /** What the processor before it has come to; for the first one the attribute's current value, null where there is none. */
  readonly value: Json;
  /** What the modules before it have noted. */
  readonly meta: JsonObject;
  /** Of the entity among those of its batch, from 0. */
  readonly batchIndex: number;
  readonly pipelineVersion: number;
}

/** What a module has found for one entity. */
export type ModuleResult =
  | {
      readonly status: 'ok';
      /** A source's is an object: the inputs, by name. */
      readonly value: Json;
      /** 0 to 1; null when it is unknown. */
      readonly confidence: number | null;
      readonly justification: string | null;
      readonly meta: JsonObject;
      /** What language models have taken for it. */
      readonly usage: readonly ModelUsage[];
      /** What is not as it should be, and no failure. Kept with the run. */
      readonly warnings: readonly string[];
    }
  /** The value stays as it is. */
  | { readonly status: 'skipped'; readonly reason: string; readonly usage: readonly ModelUsage[] }
  | {
      readonly status: 'error';
      readonly errors: readonly string[];
      readonly usage: readonly ModelUsage[];
    };

type OkResult = Extract<ModuleResult, { readonly status: 'ok' }>;

/** Makes results. */
export const moduleResult = {
  ok: (value: Json, about: Partial<Omit<OkResult, 'status' | 'value'>> = {}): ModuleResult => ({
    status: 'ok',
    value,
    confidence: null,
    justification: null,
    meta: {},
    usage: [],
    warnings: [],
    ...about,
  }),
  skipped: (reason: string, usage: readonly ModelUsage[] = []): ModuleResult => ({
    status: 'skipped',
    reason,
    usage,
  }),
  error: (errors: string | readonly string[], usage: readonly ModelUsage[] = []): ModuleResult => ({
    status: 'error',
    errors: typeof errors === 'string' ? [errors] : errors,
    usage,
  }),
} as const;

/** What a module gets beside the entities. */
export interface ModuleSurroundings<Settings> {
  readonly settings: Settings;
  /** Aborted when the run is cancelled, the attempt times out or the worker stops. */
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly run: RunReference;
  readonly services: Services;
  /** A model of config.yml. @throws when there is none of this name */
  readonly model: (name: string) => ModelReference;
  /** Runs what people have typed in. */
  readonly sandbox: Sandbox;
  /** Whose values are computed. */
  readonly attribute: Pick<Attribute, 'id' | 'name' | 'label' | 'dataType' | 'allowedValues'>;
  /** Works on at most so many things at once, over all batches of the run that overlap. */
  readonly limit: (concurrency: number) => <T>(work: () => Promise<T>) => Promise<T>;
  /** Waits. Rejects with the signal's reason when that is aborted. */
  readonly sleep: (ms: number) => Promise<void>;
  /** What an input is called where people read it: the attribute's label, or its name. */
  readonly labelOf: (input: string) => string;
}

/** What the check of settings gets beside them. */
export interface ModuleChecking {
  readonly sandbox: Sandbox;
  /** Names of the models of config.yml. */
  readonly models: readonly string[];
}

/** What {@link defineModule} takes. */
export interface ModuleDefinition<S extends z.ZodObject = z.ZodObject> {
  /** What pipelines name it by: small letters, digits and underscores. */
  readonly slug: string;
  readonly label: string;
  readonly description: string;
  readonly type: ModuleType;
  /** What people set; forms are made of it. `.meta({ title, description, widget })` says how a field looks. */
  readonly settings: S;
  /** Names of the attributes that it reads, of the entity type of its pipeline. Sources only. */
  readonly inputAttributes?: (settings: z.output<S>) => readonly string[];
  /** Which of their values it is given; those with overrides unless set. Sources only. */
  readonly inputView?: (settings: z.output<S>) => ValueView;
  /**
   * It reads something else beside attributes, which changes without anybody telling: another database, an API, the day. Runs that are not
   * about single entities then look at all of them, as each night; the hash of what sources give still says whose values are computed.
   * Taken down when a pipeline is saved. Sources only.
   */
  readonly readsElsewhere?: boolean;
  /** What is wrong with settings that their schema lets through. */
  readonly validateSettings?: (
    settings: z.output<S>,
    surroundings: ModuleChecking,
  ) => readonly SettingsProblem[] | Promise<readonly SettingsProblem[]>;
  /** Longest time of one batch, in seconds; 600 unless set. */
  readonly timeoutSeconds?: number;
  /**
   * Works on a batch.
   *
   * @returns a result for each context, in their order. What it throws fails the attempt, which is made again.
   */
  readonly process: (
    contexts: readonly ModuleContext[],
    surroundings: ModuleSurroundings<z.output<S>>,
  ) => readonly ModuleResult[] | Promise<readonly ModuleResult[]>;
}

/** A module of attribute pipelines. Made by {@link defineModule}. */
export interface AttributeModule extends Branded<'module'> {
  readonly definition: ModuleDefinition;
  readonly site: Site | undefined;
}

/** Defines a module of attribute pipelines: a file of `modules/` exports it. */
export function defineModule<S extends z.ZodObject>(
  definition: ModuleDefinition<S>,
): AttributeModule {
  return {
    [DEFINITION]: 'module',
    definition,
    site: callerSite(),
  };
}
