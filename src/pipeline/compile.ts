import type { PropertyTypes } from '../contract/contract.js';
import { inputContract, type InputContract } from '../contract/input-contract.js';
import { objectSchema } from '../contract/json-schema.js';
import { durationMsOrNone } from '../definition/duration.js';
import type { JsonObject } from '../definition/json.js';
import type { Problem, Site } from '../definition/problem.js';
import type { OperationFailure } from './context.js';
import type { CompileEnvironment } from './compile-environment.js';
import { hash } from './contract-hash.js';
import { countProblems } from './namespace-count.js';
import { fuse } from './fusion.js';
import { MERGE_STRATEGIES, type MergeStrategy } from './merge.js';
import type { Pipeline, Stage } from './pipeline.js';
import { INTERPRETER, PIPELINE_DEFAULTS, type PipelinePlan, type StagePlan } from './plan.js';
import { checkPlanSize } from './plan-size.js';
import { ProblemList, type Path } from './problem-list.js';
import { planResultCheck } from './result-check.js';
import { likelySlips } from './slip.js';
import { checkedStages, checkHead, stageLabel } from './stage-check.js';
import { flowTypes, type TypeFlow } from './type-flow.js';
import { compileUse, operationPlan, type CompiledUse } from './use.js';

/** What to do about a plan that is too large. */
const PLAN_HINT = 'Move long prompts and tables out of the options, into files or services.';

/** A definition with the way to its places in a file. */
export interface PipelineSource {
  readonly definition: Pipeline;
  /** Where something of the definition is written: `['stages', 0, 'operations', 1, 'type']`. */
  readonly locate: (path: Path) => Site | undefined;
  /** Places of which it has been told already that something is wrong there. */
  readonly told?: readonly Path[];
}

/** A pipeline that can be started. */
export interface CompiledPipeline extends InputContract {
  readonly kind: 'pipeline';
  readonly name: string;
  readonly description?: string;
  readonly site?: Site;
  readonly plan: PipelinePlan;
  readonly planHash: string;
  readonly input: PropertyTypes;
  readonly output: PropertyTypes;
  /** JSON Schema of the result: an object, or a list of them under `result: 'all'`. */
  readonly outputSchema: JsonObject;
  /** The `ignoreErrors` functions of uses, by {@link predicateKey}. */
  readonly predicates: ReadonlyMap<string, (failure: OperationFailure) => boolean>;
}

/** What compiling gave: the pipeline unless there is an error among the problems. */
export interface Compilation {
  readonly pipeline?: CompiledPipeline;
  readonly problems: readonly Problem[];
}

/** Where a use of an operation is within its pipeline. */
export function predicateKey(stage: string, operation: string): string {
  return JSON.stringify([stage, operation]);
}

/**
 * Compiles a pipeline: resolves its operations and models, checks the flow of types and decides what runs how.
 * Nothing is thrown for a wrong definition; every problem is returned, with its place.
 */
export function compilePipeline(
  source: PipelineSource,
  environment: CompileEnvironment,
): Compilation {
  const { definition, locate, told } = source;
  const problems = new ProblemList(locate, definition.name, told);
  const headed = checkHead(definition, problems);
  const stages = checkedStages(definition, problems);
  const uses = stages.map((stage, index) =>
    stage === undefined ? [] : compileStage(stage, index, environment, problems),
  );
  // How types flow is only known where every operation is.
  if (!headed || stages.length === 0 || !isComplete(stages, uses))
    return { problems: problems.all() };

  const merges = stages.map((stage) => mergeOf(stage, definition));
  const flowing = stages.map((stage, index) => ({
    name: stage.name,
    merge: merges[index] ?? 'last',
    operations: uses[index] ?? [],
  }));
  const declared = definition.input?.shape;
  const flow = flowTypes(flowing, declared);
  const found = [
    ...flow.problems,
    ...(declared === undefined ? likelySlips(flowing, flow) : []),
    ...(definition.result === 'all' ? [] : countProblems(flowing)),
  ];
  for (const { stage, operation, message, severity } of found) {
    problems.add(
      ['stages', stage, ...(operation === undefined ? [] : ['operations', operation])],
      message,
      severity,
    );
  }
  const resultSchema = planResultCheck(definition.output?.shape ?? {}, flow, problems);
  if (problems.hasErrors()) return { problems: problems.all() };
  const plan = {
    ...assemble(definition, stages, uses, merges, flow),
    ...(resultSchema !== undefined && { resultSchema }),
  };
  checkPlanSize(plan, PLAN_HINT, problems);
  if (problems.hasErrors()) return { problems: problems.all() };
  return { pipeline: compiled(source, plan, flow, uses), problems: problems.all() };
}

function isComplete(
  stages: readonly (Stage | undefined)[],
  uses: readonly (readonly CompiledUse[])[],
): stages is readonly Stage[] {
  return stages.every((stage, index) => stage?.operations.length === uses[index]?.length);
}

/** The strategy of a stage; the default where a wrong one is written, which has been told. */
function mergeOf(stage: Stage, definition: Pipeline): MergeStrategy {
  const merge = stage.merge ?? definition.merge ?? 'last';
  return MERGE_STRATEGIES.includes(merge) ? merge : 'last';
}

function compileStage(
  stage: Stage,
  index: number,
  environment: CompileEnvironment,
  problems: ProblemList,
): readonly CompiledUse[] {
  const names = new Set<string>();
  return stage.operations.flatMap((use, at) => {
    const path = ['stages', index, 'operations', at] as const;
    const compiledUse = compileUse(
      use,
      `${stageLabel(stage, index)}: `,
      environment,
      problems.under(path),
    );
    if (compiledUse === undefined) return [];
    // Two uses of one type in a stage are told apart by their place.
    const name = names.has(compiledUse.name)
      ? `${compiledUse.name}#${String(at + 1)}`
      : compiledUse.name;
    names.add(name);
    return [{ ...compiledUse, name }];
  });
}

function assemble(
  definition: Pipeline,
  stages: readonly Stage[],
  uses: readonly (readonly CompiledUse[])[],
  merges: readonly MergeStrategy[],
  flow: TypeFlow,
): PipelinePlan {
  const stagePlans = stages.map((stage, index): StagePlan => {
    const timeoutMs = durationMsOrNone(stage.timeout);
    return {
      name: stage.name,
      ...(timeoutMs !== undefined && { timeoutMs }),
      merge: merges[index] ?? 'last',
      parallel: stage.parallel ?? PIPELINE_DEFAULTS.parallel,
      operations: (uses[index] ?? []).map((use, at) =>
        operationPlan(use, flow.contracts[index]?.[at]),
      ),
    };
  });
  return {
    kind: 'pipeline',
    interpreter: INTERPRETER,
    name: definition.name,
    timeoutMs: durationMsOrNone(definition.timeout) ?? PIPELINE_DEFAULTS.timeoutMs,
    result: definition.result ?? 'one',
    ...(definition.output !== undefined && { output: Object.keys(definition.output.shape) }),
    stages: stagePlans,
    units: fuse(stagePlans),
  };
}

function compiled(
  source: PipelineSource,
  plan: PipelinePlan,
  flow: TypeFlow,
  uses: readonly (readonly CompiledUse[])[],
): CompiledPipeline {
  const { definition } = source;
  const site = source.locate([]);
  const output = definition.output?.shape ?? flow.output;
  // What a run was started with beside its contract stays in a result that declares nothing.
  const { additionalProperties: _, ...open } = objectSchema(output, 'output');
  const one = definition.output === undefined ? open : objectSchema(output, 'output');
  const predicates = uses.flatMap((stage, index) =>
    stage.flatMap((use) =>
      use.predicate === undefined
        ? []
        : [[predicateKey(plan.stages[index]?.name ?? '', use.name), use.predicate] as const],
    ),
  );
  return {
    kind: 'pipeline',
    name: plan.name,
    ...(definition.description !== undefined && { description: definition.description }),
    ...(site !== undefined && { site }),
    plan,
    planHash: hash(plan),
    input: flow.input,
    output,
    ...inputContract(flow.input),
    outputSchema: plan.result === 'one' ? one : { type: 'array', items: one },
    predicates: new Map(predicates),
  };
}
