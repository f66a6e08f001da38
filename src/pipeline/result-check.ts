import { z } from 'zod';
import { describeType, mayFlow } from '../contract/compatibility.js';
import { FORBIDDEN_NAME, isOptional, type PropertyTypes } from '../contract/contract.js';
import { hasOwnRules, implies } from '../contract/implication.js';
import { mayBeLeftOut, objectSchema } from '../contract/json-schema.js';
import { ContractViolation, violationsOf } from '../contract/violation.js';
import { ownMember, type JsonObject } from '../definition/json.js';
import type { ProblemList } from './problem-list.js';
import type { TypeFlow } from './type-flow.js';

/**
 * Compares a declared output with what the stages leave.
 *
 * @returns the JSON Schema of those of its properties that only a look at the result can settle; undefined when
 *   everything follows from the contracts of the operations, which is what is usual
 */
export function planResultCheck(
  declared: PropertyTypes,
  flow: TypeFlow,
  problems: ProblemList,
): JsonObject | undefined {
  const open = Object.entries(declared).filter(([name, type]) => {
    const left = ownMember(flow.output, name);
    const wrong = mismatch(name, type, left, flow);
    if (wrong !== undefined) problems.add(['output', name], wrong);
    if (left !== undefined && type !== left && hasOwnRules(type)) {
      const rules = `output declares "${name}" with a transform or a check of its own, which results are not put through.`;
      const hint = 'Put it into what an operation sets.';
      problems.add(['output', name], `${rules} ${hint}`, 'warning');
    }
    // What no contract mentions may still come with the input.
    return left === undefined || !isCertain(name, type, left, flow);
  });
  if (open.length === 0) return undefined;
  const { additionalProperties: _, ...schema } = objectSchema(Object.fromEntries(open), 'output');
  try {
    typeOf(schema);
    return schema;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    problems.add(['output'], `results are not checked against the output: ${why}.`, 'warning');
    return undefined;
  }
}

function mismatch(
  name: string,
  type: z.ZodType,
  left: z.ZodType | undefined,
  flow: TypeFlow,
): string | undefined {
  if (name === FORBIDDEN_NAME) return `output: no property can be called ${FORBIDDEN_NAME}.`;
  if (left === undefined) {
    if (isOptional(type)) return undefined;
    const names = Object.keys(flow.output).join(', ') || 'nothing';
    return `output declares "${name}", which no stage leaves. What is left: ${names}.`;
  }
  if (!mayFlow(left, type)) {
    const types = `as ${describeType(type)}, but what is left is ${describeType(left)}`;
    return `output declares "${name}" ${types}.`;
  }
  if (isOptional(type) || !mayBeLeftOut(left)) return undefined;
  return `output declares "${name}", which may be absent in the end. Make it optional there, or required where it comes from.`;
}

function isCertain(name: string, type: z.ZodType, left: z.ZodType, flow: TypeFlow): boolean {
  if (flow.uncertain.has(name)) return false;
  return implies(left, type) && (mayBeLeftOut(type) || !mayBeLeftOut(left));
}

/**
 * Why results are not as a pipeline's output declares, as far as its plan says that this is to be looked at.
 *
 * @param schema - what {@link planResultCheck} has planned
 */
export function resultViolation(
  schema: JsonObject,
  result: JsonObject | readonly JsonObject[],
): ContractViolation | undefined {
  const one = typeOf(schema);
  const checked = Array.isArray(result)
    ? z.array(one).safeParse(result.map(bare))
    : one.safeParse(bare(result as JsonObject));
  return checked.success ? undefined : new ContractViolation(violationsOf(checked.error, result));
}

/** zod's type for schemas covers every draft; what zod has written, it reads. */
function typeOf(schema: JsonObject): z.ZodType {
  return z.fromJSONSchema(schema);
}

/** zod reads members without asking whose they are, so that what is inherited must not be there. */
function bare(namespace: JsonObject): object {
  return Object.assign(Object.create(null) as object, namespace);
}
