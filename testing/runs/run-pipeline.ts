import { readEndings } from '../../engine/recording/read-recording.js';
import type { RecordedOperation, Recording } from '../../engine/recording/recording.js';
import type { Run } from '../../engine/run.js';
import type { Json, JsonObject } from '../../src/definition/json.js';
import { FAILURE_TYPES, type Failure } from '../../src/pipeline/failure.js';
import type { Pipeline, PipelineInput, PipelineOutput } from '../../src/pipeline/pipeline.js';
import type { RunEvent } from '../../src/progress/run-event.js';
import type { TestEngine } from '../test-engine.js';
import {
  eventsOf,
  onOwnEngine,
  sourcesOf,
  type DefinitionRunOptions,
  withEnd,
  type RunEnd,
} from './definition-run.js';
import type { ObservedOperation } from './observed-operation.js';
import { StubbedPipeline } from './stubbed-pipeline.js';
import { StubRefused, StubUnknown } from './stub-errors.js';
import type { OperationStubs } from './stub.js';

/** How {@link runPipeline} runs a pipeline. */
export interface RunPipelineOptions<Input = JsonObject> extends DefinitionRunOptions {
  readonly input: Input;
  /** What stands in for operations. What they set is checked against their contracts. */
  readonly operations?: OperationStubs;
  /** A run that was recorded: its operations do what they did then, but for those that have stubs. */
  readonly recording?: Recording & { readonly kind: 'pipeline' };
  /** Operations that do their work all the same, by their names. */
  readonly real?: readonly string[];
}

/** An operation in a pipeline that was run. */
export interface OperationRun {
  readonly stage: string;
  /** Its name in the pipeline. */
  readonly operation: string;
  readonly type: string;
  /** Something stood in for it. */
  readonly stubbed: boolean;
  /** The namespaces that came to it, with what it reads of them; none where it was not reached. */
  readonly got: readonly JsonObject[];
  /** What it has set, one entry for each namespace that it has left. */
  readonly set: readonly JsonObject[];
  /** What it has failed of, for good. */
  readonly failure?: Failure;
}

interface PipelineRunParts {
  /** The workflow id. */
  readonly id: string;
  readonly events: readonly RunEvent[];
  /** In the order of the pipeline. */
  readonly operations: readonly OperationRun[];
  /**
   * One of them, by its name, or `stage/name`.
   *
   * @throws {@link StubUnknown} for a name that there is not
   */
  readonly operation: (name: string) => OperationRun;
}

/** A run of a pipeline that is over. */
export type PipelineRun<Result> = PipelineRunParts & RunEnd<Result>;

/**
 * Runs a pipeline whole on a real Temporal server, with some of its operations replaced. The server is shared by all such runs of a
 * process, unless `TEMPORAL_ADDRESS` or `config.temporal` names one. A run that has failed is returned, too; to ask for its `result`
 * throws {@link RunFailed}.
 *
 * @param pipeline - the pipeline, or its name in the project of `dir`
 * @example
 * ```ts
 * const { result, operation } = await runPipeline(wordReport, {
 *   input: { text: 'one two' },
 *   operations: { 'count-words': { words: 7 } },
 * });
 * ```
 *
 * @throws {@link StubUnknown} for a stub of what there is not, {@link StubRefused} for one that sets what the contract refuses,
 *   {@link RecordingOutdated}, {@link ContractViolation} for an input that does not fit, and what {@link createTestEngine} throws
 */
export async function runPipeline<P extends Pipeline>(
  pipeline: P,
  options: RunPipelineOptions<PipelineInput<P>>,
): Promise<PipelineRun<PipelineOutput<P>>>;
export async function runPipeline(
  pipeline: string,
  options: RunPipelineOptions,
): Promise<PipelineRun<Json>>;
export async function runPipeline(
  pipeline: Pipeline | string,
  options: RunPipelineOptions<unknown>,
): Promise<PipelineRun<unknown>> {
  const { input, operations, recording, real, ...rest } = options;
  const name = typeof pipeline === 'string' ? pipeline : pipeline.name;
  const sources = sourcesOf(pipeline, options.dir, (one) => ({ pipelines: [one] }));
  let stubbed: StubbedPipeline | undefined;
  return onOwnEngine(sources, rest, {
    change: (project) => {
      stubbed = new StubbedPipeline(project, name, { operations, recording, real });
      return stubbed.project;
    },
    work: async (engine) => {
      const { principal } = rest;
      // Whatever its type promised, the engine checks it.
      const run = await engine.start(name, input as JsonObject, {
        ...(principal !== undefined && { principal }),
      });
      return outcomeOf(engine, run, name, stubbed?.places ?? []);
    },
  });
}

async function outcomeOf(
  engine: TestEngine,
  run: Run,
  name: string,
  places: readonly ObservedOperation[],
): Promise<PipelineRun<Json>> {
  // How it ends is told by its description.
  await run.result().catch(() => undefined);
  const execution = await run.describe();
  const { operations: ended } = await readEndings(engine.temporal.client, run.id);
  const operations = places.map((place) => operationRun(place, ended));
  requireStubs(name, places, operations);
  const parts: PipelineRunParts = {
    id: run.id,
    events: await eventsOf(run),
    operations,
    operation: (wanted) => find(name, operations, wanted),
  };
  return withEnd(parts, execution);
}

function operationRun(place: ObservedOperation, ended: readonly RecordedOperation[]): OperationRun {
  const { stage, name: operation, type, got } = place;
  const effect = ended.find((one) => one.stage === stage && one.operation === operation)?.effect;
  return {
    stage,
    operation,
    type,
    stubbed: place.stub !== undefined,
    got,
    set: setBy(effect),
    ...(effect !== undefined && 'failure' in effect && { failure: effect.failure }),
  };
}

function setBy(effect: RecordedOperation['effect'] | undefined): readonly JsonObject[] {
  if (effect?.kind === 'sets') return effect.sets;
  return effect?.kind === 'derived' ? effect.derived.map(({ set }) => set) : [];
}

/** A stub that does not fit is a mistake of the test, and no outcome of the pipeline. */
function requireStubs(
  name: string,
  places: readonly ObservedOperation[],
  operations: readonly OperationRun[],
): void {
  places.forEach((place, at) => {
    const where = `${place.stage}/${place.name}`;
    if (place.refusal !== undefined) throw new StubRefused(name, where, place.refusal);
    const failure = operations[at]?.failure;
    if (
      failure !== undefined &&
      place.hasReturned &&
      failure.type === FAILURE_TYPES.contractViolation
    )
      throw new StubRefused(name, where, failure.message);
  });
}

function find(definition: string, operations: readonly OperationRun[], name: string): OperationRun {
  const found = operations.find(
    ({ stage, operation }) => name === operation || name === `${stage}/${operation}`,
  );
  if (found !== undefined) return found;
  throw new StubUnknown(
    definition,
    [name],
    operations.map(({ operation }) => operation),
  );
}
