import { z } from 'zod';
import { FORBIDDEN_NAME, type PropertyTypes } from '../contract/contract.js';
import { unfitTypes, type UnfitType } from '../contract/json-fitness.js';
import type { Side } from '../contract/json-schema.js';
import type { JsonObject } from '../definition/json.js';
import type { Problem, Site } from '../definition/problem.js';
import { GENERIC_OPERATION_KEYS, OPERATION_KEYS, type Operation } from './operation.js';
import { ProblemList, type Path } from './problem-list.js';
import { checkRetry } from './retry.js';

/**
 * Everything that is wrong with an operation by itself, whether a pipeline uses it or not.
 *
 * @param locate - where something of its definition is written
 */
export function operationProblems(
  operation: Operation,
  locate: (path: Path) => Site | undefined = () => operation.site,
): readonly Problem[] {
  const { name, written, timeout, retry } = operation;
  const problems = new ProblemList(locate, name);
  const at = `operation "${name}": `;
  const generic = 'contract' in written;
  problems.unknownKeys(at, written, generic ? GENERIC_OPERATION_KEYS : OPERATION_KEYS);
  problems.timeout(['timeout'], `${at}timeout`, timeout);
  checkRetry(retry, at, problems);
  for (const [part, side] of [
    ['reads', 'input'],
    ['sets', 'output'],
    // Options are part of the plan, after their schema has made of them what it makes.
    ['options', 'output'],
  ] as const)
    checkFitness(written[part], part, side, at, problems);
  return problems.all();
}

/** What a contract that follows from options says by itself, without the types that reach its place. */
export function checkDerivedContract(
  operation: Operation,
  options: JsonObject,
  at: string,
  problems: ProblemList,
): void {
  if (!('contract' in operation.written)) return;
  try {
    const { reads, sets } = operation.contract({ options, incoming: {} });
    checkTypes(reads, 'reads', 'input', at, problems);
    checkTypes(sets, 'sets', 'output', at, problems);
  } catch {
    // A contract that cannot be found out is told of when types are followed through the stages.
  }
}

/** Tells of types in a `z.object` that JSON cannot carry; anything else is told of elsewhere. */
export function checkFitness(
  type: unknown,
  part: string,
  side: Side,
  at: string,
  problems: ProblemList,
): void {
  if (type instanceof z.ZodObject) checkTypes(type.shape, part, side, at, problems);
}

function checkTypes(
  types: PropertyTypes,
  part: string,
  side: Side,
  at: string,
  problems: ProblemList,
): void {
  // Told of when types are followed through the stages.
  if (Object.hasOwn(types, FORBIDDEN_NAME)) return;
  for (const { path, type, fix } of unfit(types, part, side, at, problems)) {
    const [property = ''] = path.split(/[.[]/, 1);
    problems.add(
      [part, property],
      `${at}${part}: '${path}' is ${type}, which JSON cannot carry. ${fix}`,
    );
  }
}

function unfit(
  types: PropertyTypes,
  part: string,
  side: Side,
  at: string,
  problems: ProblemList,
): readonly UnfitType[] {
  try {
    return unfitTypes(types, side);
  } catch (error) {
    // Two types with one id, or a member of a person's own that throws.
    const why = error instanceof Error ? error.message : String(error);
    problems.add([part], `${at}${part} cannot be described as JSON Schema: ${why}`);
    return [];
  }
}
