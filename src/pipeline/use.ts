import type { z } from 'zod';
import {
  FORBIDDEN_NAME,
  isOptional,
  type Contract,
  type PropertyTypes,
} from '../contract/contract.js';
import { forbiddenNames } from '../contract/json-value.js';
import { parsePath, violationsOf } from '../contract/violation.js';
import { DEFINITION, isDefinition } from '../definition/brand.js';
import { durationMsOrNone } from '../definition/duration.js';
import { isPlainObject, type JsonObject } from '../definition/json.js';
import { suggestion } from '../definition/suggestion.js';
import { unknownNames } from '../definition/unknown-name.js';
import type { CompileEnvironment } from './compile-environment.js';
import type { OperationFailure } from './context.js';
import { contractHash } from './contract-hash.js';
import type { CountEffect, IgnoreErrors, Operation } from './operation.js';
import { checkDerivedContract } from './operation-check.js';
import { USE_KEYS, type OperationUse } from './pipeline.js';
import type { IgnorePlan, OperationPlan, RetryPlan } from './plan.js';
import type { ProblemList } from './problem-list.js';
import { checkRetry, planRetry } from './retry.js';

/** An operation at its place in a stage, with everything that the use and the operation itself say put together. */
export interface CompiledUse {
  readonly operation: Operation;
  readonly name: string;
  readonly changesCount: boolean;
  /** What it does to the number of namespaces, where that is known. */
  readonly leaves?: CountEffect;
  /** Its contract follows from options, and so do the names of what it reads. */
  readonly generic: boolean;
  readonly ignoresErrors: boolean;
  readonly options: JsonObject;
  readonly model?: string;
  readonly timeoutMs?: number;
  readonly retry: RetryPlan;
  readonly ignoreErrors?: IgnorePlan;
  readonly predicate?: (failure: OperationFailure) => boolean;
  readonly contract: (incoming: PropertyTypes) => Contract;
}

/** Puts a use and its operation together. Undefined when something is wrong; the problems then say what. */
export function compileUse(
  use: Operation | OperationUse | string,
  where: string,
  environment: CompileEnvironment,
  problems: ProblemList,
): CompiledUse | undefined {
  const written = asUse(use);
  const operation = findOperation(written, where, environment, problems);
  if (operation === undefined) return undefined;
  const name = written.name ?? operation.name;
  const at = `${where}"${name}": `;
  const given = readFileOptions(operation, written.options ?? {}, at, environment, problems);
  const options = given === undefined ? undefined : parseOptions(operation, given, at, problems);
  // What the operation itself says is checked where it is defined.
  problems.timeout(['timeout'], `${at}timeout`, written.timeout);
  checkRetry(written.retry, at, problems);
  problems.unknownKeys(at, keysOf(written), USE_KEYS);
  const timeoutMs = durationMsOrNone(written.timeout ?? operation.timeout);
  checkModel(operation, options, written.model, at, environment, problems);
  if (options === undefined) return undefined;
  checkDerivedContract(operation, options, at, problems);
  const ignoreErrors = written.ignoreErrors ?? operation.ignoreErrors;
  const leaves = countEffect(operation, options, at, problems);
  return {
    operation,
    name,
    changesCount: operation.changesCount,
    ...(leaves !== undefined && { leaves }),
    generic: 'contract' in operation.written,
    ignoresErrors: ignoreErrors !== false,
    options,
    retry: planRetry({ ...operation.retry, ...written.retry }),
    ...ignoring(ignoreErrors),
    ...(written.model !== undefined && { model: written.model }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    contract: (incoming) => operation.contract({ options, incoming }),
  };
}

/** The plan of an operation in its place. */
export function operationPlan(use: CompiledUse, contract: Contract | undefined): OperationPlan {
  const reads = contract === undefined || contract.readsAll ? '*' : Object.keys(contract.reads);
  const optional = Object.entries(contract?.reads ?? {}).flatMap(([name, type]) =>
    isOptional(type) ? [name] : [],
  );
  return {
    type: use.operation.name,
    name: use.name,
    ...(Object.keys(use.options).length > 0 && { options: use.options }),
    ...(use.model !== undefined && { model: use.model }),
    ...(use.timeoutMs !== undefined && { timeoutMs: use.timeoutMs }),
    retry: use.retry,
    ...(use.ignoreErrors !== undefined && { ignoreErrors: use.ignoreErrors }),
    ...(use.operation.quick && { quick: true as const }),
    ...(use.changesCount && { changesCount: true as const }),
    reads,
    ...(optional.length > 0 && { optional }),
    sets: Object.keys(contract?.sets ?? {}),
    deletes: contract?.deletes ?? [],
    contractHash: contractHash(use.operation, { options: use.options, optional }),
  };
}

function asUse(use: Operation | OperationUse | string): OperationUse {
  if (typeof use === 'string' || isDefinition(use, 'operation')) return { type: use };
  return use;
}

/** What is written in a use; nothing where it is more than that, such as an operation with changes. */
function keysOf(use: OperationUse): object {
  return DEFINITION in use ? {} : use;
}

function findOperation(
  use: OperationUse,
  where: string,
  { operations }: CompileEnvironment,
  problems: ProblemList,
): Operation | undefined {
  // What the types promise may not hold for plain JavaScript and YAML.
  const type: unknown = isPlainObject(use) ? use.type : undefined;
  const name: unknown = isDefinition(type, 'operation') ? (type as Operation).name : type;
  if (typeof name !== 'string' || name === '') {
    problems.add(
      ['type'],
      `${where}an operation has no type. Write type: and an operation's name.`,
    );
    return undefined;
  }
  const registered = operations.get(name);
  if (
    registered !== undefined &&
    isDefinition(type, 'operation') &&
    (type as Operation).body !== registered.body
  ) {
    const first =
      registered.site === undefined
        ? 'the product itself'
        : `${registered.site.file}:${String(registered.site.line ?? 1)}`;
    problems.add(
      ['type'],
      `${where}another operation is registered as "${name}", by ${first}. Rename one of them.`,
    );
    return undefined;
  }
  if (registered === undefined) {
    const known = suggestion(name, [...operations.keys()]);
    const hint =
      typeof type === 'string'
        ? known
        : ' Export it from a file in operations/, so that workers find it.';
    problems.add(['type'], `${where}unknown operation type "${name}".${hint}`);
  }
  return registered;
}

/** Puts the text of a file in the place of its name, so that a plan pins the text. */
function readFileOptions(
  operation: Operation,
  given: NonNullable<OperationUse['options']>,
  at: string,
  { readFile }: CompileEnvironment,
  problems: ProblemList,
): NonNullable<OperationUse['options']> | undefined {
  const wrong = Object.keys(operation.fileOptions).filter(
    (option) => given[option] !== undefined && typeof given[option] !== 'string',
  );
  for (const option of wrong)
    problems.add(['options', option], `${at}${option} must be the path of a file of the project.`);
  if (wrong.length > 0) return undefined;
  const named = Object.entries(operation.fileOptions).filter(
    ([option]) => given[option] !== undefined,
  );
  const texts = named.map(([option, target]) => {
    const text = readFile(String(given[option]));
    if (text === undefined) {
      problems.add(
        ['options', option],
        `${at}${option}: there is no file "${String(given[option])}" in the project.`,
      );
    } else if (given[target] !== undefined) {
      problems.add(
        ['options', option],
        `${at}${option} and ${target} are both given. Keep one of them.`,
      );
    }
    return [target, text] as const;
  });
  if (texts.some(([, text]) => text === undefined)) return undefined;
  const kept = Object.entries(given).filter(([option]) => !named.some(([name]) => name === option));
  return { ...Object.fromEntries(kept), ...Object.fromEntries(texts) };
}

function parseOptions(
  operation: Operation,
  given: NonNullable<OperationUse['options']>,
  at: string,
  problems: ProblemList,
): JsonObject | undefined {
  const schema: z.ZodObject | undefined = operation.options;
  const known = [...Object.keys(schema?.shape ?? {}), ...Object.keys(operation.fileOptions)];
  const open = schema?.def.catchall !== undefined && schema.def.catchall._zod.def.type !== 'never';
  const strange = open ? [] : unknownNames(given, known, 'option');
  for (const { name, message } of strange) {
    const hint = known.length === 0 ? ' It takes no options.' : '';
    problems.add(['options', name], `${at}${message}${hint}`);
  }
  const forbidden = forbiddenNames(given);
  for (const { path } of forbidden) {
    problems.add(
      ['options', ...parsePath(path)],
      `${at}option '${path}' is not allowed: no property can be called ${FORBIDDEN_NAME}.`,
    );
  }
  if (strange.length > 0 || forbidden.length > 0) return undefined;
  try {
    const parsed = schema?.safeParse(given);
    if (parsed === undefined) return {};
    // Options end up in the plan, so they are JSON: a schema that makes something else of them is caught by its round trip.
    if (parsed.success) return JSON.parse(JSON.stringify(parsed.data)) as JsonObject;
    for (const wrong of violationsOf(parsed.error, given)) {
      problems.add(
        ['options', ...parsePath(wrong.path)],
        `${at}${wrong.message.replace('Property', 'option')}`,
      );
    }
  } catch (error) {
    // The schema is a person's, and may run code of theirs.
    problems.add(['options'], `${at}its options could not be checked: ${messageOf(error)}`);
  }
  return undefined;
}

/** What a thrown value says. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** @param options - undefined where they are wrong, so that what the operation needs of a model is not known */
function checkModel(
  operation: Operation,
  options: JsonObject | undefined,
  model: string | undefined,
  at: string,
  { models }: CompileEnvironment,
  problems: ProblemList,
): void {
  const needed = options === undefined ? [] : neededCapabilities(operation, options, at, problems);
  const configured = model === undefined ? undefined : models.get(model);
  if (model !== undefined && configured === undefined) {
    const hint = suggestion(model, [...models.keys()]) || ' config.yml has no models.';
    problems.add(['model'], `${at}unknown model "${model}".${hint}`);
  } else if (model === undefined && needed.length > 0) {
    problems.add([], `${at}needs a model that can ${needed.join(', ')}. Name one: model: …`);
  }
  for (const capability of configured === undefined ? [] : needed) {
    if (!configured?.capabilities.includes(capability)) {
      const can = configured?.capabilities.join(', ') ?? '';
      problems.add(
        ['model'],
        `${at}model "${model ?? ''}" lacks the capability "${capability}". It has: ${can || 'none'}.`,
      );
    }
  }
}

function neededCapabilities(
  operation: Operation,
  options: JsonObject,
  at: string,
  problems: ProblemList,
): readonly string[] {
  try {
    return operation.capabilities(options);
  } catch (error) {
    problems.add([], `${at}its capabilities could not be found out: ${messageOf(error)}`);
    return [];
  }
}

function countEffect(
  operation: Operation,
  options: JsonObject,
  at: string,
  problems: ProblemList,
): CountEffect | undefined {
  try {
    return operation.leaves(options);
  } catch (error) {
    problems.add([], `${at}what it leaves could not be found out: ${messageOf(error)}`);
    return undefined;
  }
}

function ignoring(ignoreErrors: IgnoreErrors): Pick<CompiledUse, 'ignoreErrors' | 'predicate'> {
  if (typeof ignoreErrors === 'function')
    return { ignoreErrors: 'predicate', predicate: ignoreErrors };
  if (ignoreErrors === false) return {};
  return { ignoreErrors };
}
