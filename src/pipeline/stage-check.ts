import { z } from 'zod';
import { isDefinition } from '../definition/brand.js';
import { isPlainObject } from '../definition/json.js';
import { nameProblem } from '../definition/name.js';
import { MERGE_STRATEGIES, type MergeStrategy } from './merge.js';
import { checkFitness } from './operation-check.js';
import { PIPELINE_KEYS, STAGE_KEYS, type Pipeline, type Stage } from './pipeline.js';
import { PLAN_LIMITS } from './plan.js';
import type { Path, ProblemList } from './problem-list.js';

/** Tells what is wrong with a pipeline beside its stages. @returns whether its contracts can be used */
export function checkHead(definition: Pipeline, problems: ProblemList): boolean {
  const wrong = nameProblem(definition.name);
  if (wrong !== undefined) problems.add(['name'], `pipeline ${wrong}`);
  problems.unknownKeys('', definition, PIPELINE_KEYS);
  checkMerge(definition.merge, ['merge'], problems);
  if (definition.result !== undefined && !['one', 'all'].includes(definition.result)) {
    problems.add(
      ['result'],
      `result is ${JSON.stringify(definition.result)}; it must be "one" or "all".`,
    );
  }
  problems.timeout(['timeout'], 'timeout', definition.timeout);
  for (const side of ['input', 'output'] as const)
    checkFitness(definition[side], side, side, '', problems);
  const foreign = (['input', 'output'] as const).filter((side) => {
    const type: unknown = definition[side];
    return type !== undefined && !(type instanceof z.ZodObject);
  });
  for (const side of foreign) problems.add([side], `${side} must be a z.object({ … }) of zod 4.`);
  return foreign.length === 0;
}

function checkMerge(merge: MergeStrategy | undefined, path: Path, problems: ProblemList): void {
  if (merge === undefined || MERGE_STRATEGIES.includes(merge)) return;
  problems.add(
    path,
    `merge is ${JSON.stringify(merge)}; it must be one of ${MERGE_STRATEGIES.join(', ')}.`,
  );
}

/** The stages, with undefined in the place of each that cannot be looked into: places count for messages. */
export function checkedStages(
  definition: Pipeline,
  problems: ProblemList,
): readonly (Stage | undefined)[] {
  // Definitions come from YAML and plain JavaScript too, so what the types promise is looked at.
  const stages: unknown = definition.stages;
  if (!Array.isArray(stages) || stages.length === 0) {
    problems.add(
      ['stages'],
      'has no stages. Add at least one: stages: [{ name, operations: [...] }].',
    );
    return [];
  }
  if (stages.length > PLAN_LIMITS.maxStages) {
    problems.add(
      ['stages'],
      `has ${String(stages.length)} stages; the most is ${String(PLAN_LIMITS.maxStages)} (maxStages).`,
    );
    return [];
  }
  const seen = new Set<string>();
  return definition.stages.map((stage, index) =>
    checkStage(stage, index, seen, problems) ? stage : undefined,
  );
}

/** What messages call a stage: by its name, or by its place where it has none. */
export function stageLabel(stage: unknown, index: number): string {
  return isPlainObject(stage) && typeof stage['name'] === 'string' && stage['name'] !== ''
    ? `stage "${stage['name']}"`
    : `stage ${String(index + 1)}`;
}

/** @returns whether its operations can be looked into */
function checkStage(
  stage: Stage,
  index: number,
  seen: Set<string>,
  problems: ProblemList,
): boolean {
  const inStage = problems.under(['stages', index]);
  const label = stageLabel(stage, index);
  if (!isPlainObject(stage)) {
    inStage.add([], `${label} has no name.`);
    return false;
  }
  if (typeof stage.name !== 'string' || stage.name === '') {
    inStage.add(['name'], `${label} has no name.`);
  } else {
    if (seen.has(stage.name)) inStage.add(['name'], `there are two stages called "${stage.name}".`);
    seen.add(stage.name);
  }
  if (!isDefinition(stage, 'operation')) inStage.unknownKeys(`${label}: `, stage, STAGE_KEYS);
  if (stage.parallel !== undefined && !(Number.isInteger(stage.parallel) && stage.parallel > 0))
    inStage.add(['parallel'], `${label}: parallel must be a whole number from 1.`);
  checkMerge(stage.merge, ['merge'], inStage);
  inStage.timeout(['timeout'], `${label}: timeout`, stage.timeout);
  return checkOperations(stage, label, inStage);
}

function checkOperations(stage: Stage, label: string, problems: ProblemList): boolean {
  if (!Array.isArray(stage.operations)) {
    problems.add(
      ['operations'],
      `${label}: has no operations. Add them: operations: [{ type: … }].`,
    );
    return false;
  }
  const count = stage.operations.length;
  if (count <= PLAN_LIMITS.maxOperationsPerStage) return true;
  const most = String(PLAN_LIMITS.maxOperationsPerStage);
  problems.add(
    ['operations'],
    `${label}: has ${String(count)} operations; the most is ${most} (maxOperationsPerStage).`,
  );
  return false;
}
