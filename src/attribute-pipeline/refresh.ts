import { dependencyLevels, type Dependant } from './dependency-order.js';
import type { PipelinePlace } from './pipeline-catalog.js';
import { pipelineName, type AttributePipeline } from './pipeline.js';
import type { RunTask, RunTrigger } from './run.js';

/** The workflow that runs several pipelines, each after those that it reads from. */
export const REFRESH_WORKFLOW = 'refreshAttributes';

/** Tells a refresh that goes on that something has changed again. */
export const ATTRIBUTES_CHANGED_SIGNAL = 'attributes_changed';

/** Names of its activities. */
export const PLAN_REFRESH_ACTIVITY = 'millrace.planAttributeRefresh';
export const REQUEST_ATTRIBUTES_ACTIVITY = 'millrace.requestAttributeRun';

/** What a refresh runs. */
export type RefreshTask =
  /** What has changed of an entity type, and on through what depends on it, until nothing is left to do. */
  | { readonly kind: 'changed'; readonly entityType: string }
  /** Pipelines, once each: those that are named, those of an entity type, or all. */
  | {
      readonly kind: 'all';
      readonly entityType?: string;
      readonly pipelines?: readonly PipelinePlace[];
      readonly trigger: RunTrigger;
      readonly principal?: string;
      readonly task: RunTask;
    };

/** What a refresh asks for: what may be started now. */
export interface RefreshQuestion {
  readonly task: RefreshTask;
  /** Names of pipelines whose runs go on: they, and what depends on them, wait. */
  readonly running: readonly string[];
  /** Names of pipelines that are left alone, since their runs have failed. */
  readonly failed: readonly string[];
}

/** A run that is to be started. */
export interface RefreshRun extends PipelinePlace {
  /** Of the run: a ULID. */
  readonly run: string;
  readonly workflowId: string;
  /** Names of the pipelines of the same plan that it waits for. */
  readonly after: readonly string[];
  /** True where only the evals are run: each night, those of pipelines that run for nobody who has not asked for it. */
  readonly evalsOnly?: boolean;
}

/** A run of a refresh, as it is put down in the catalog. */
export interface RefreshRequest {
  readonly run: RefreshRun;
  readonly trigger: RunTrigger;
  /** The workflow id of the refresh. */
  readonly reference: string;
  readonly principal?: string;
  readonly task: RunTask;
}

/** What a refresh has come to. */
export interface RefreshResult {
  readonly completed: number;
  readonly failed: number;
}

/** Pipelines with those of them that each waits for, by name. */
export function refreshOrder(
  pipelines: readonly AttributePipeline[],
): readonly { readonly pipeline: AttributePipeline; readonly after: readonly string[] }[] {
  const types = [...new Set(pipelines.map(({ entityType }) => entityType))];
  return types.flatMap((type) => {
    const ofType = pipelines.filter(({ entityType }) => entityType === type);
    const dependants = ofType.map((pipeline) => ({ ...dependantOf(pipeline), pipeline }));
    const outputs = new Set(dependants.map(({ output }) => output));
    return dependencyLevels(dependants)
      .flat()
      .map(({ pipeline }) => ({
        pipeline,
        after: pipeline.inputs
          .filter((input) => outputs.has(input))
          .map((attribute) => pipelineName({ ...pipeline, attribute })),
      }));
  });
}

/**
 * Which of the pipelines that have something to do may begin: those that depend on no other such one, and on none that runs.
 *
 * @param pipelines - all of an entity type
 * @param due - names of those that have something to do
 * @param running - names of those that run
 */
export function readyPipelines(
  pipelines: readonly AttributePipeline[],
  due: ReadonlySet<string>,
  running: ReadonlySet<string>,
): readonly AttributePipeline[] {
  const blocked = new Set<string>();
  const ready: AttributePipeline[] = [];
  for (const { pipeline, after } of refreshOrder(pipelines)) {
    const name = pipelineName(pipeline);
    const waits = after.some((other) => blocked.has(other));
    if (!waits && !running.has(name) && due.has(name)) ready.push(pipeline);
    // Whatever comes after it waits for what it is going to write.
    if (waits || running.has(name) || due.has(name)) blocked.add(name);
  }
  return ready;
}

function dependantOf({ id, attribute, inputs }: AttributePipeline): Dependant {
  return { id, output: attribute, inputs };
}
