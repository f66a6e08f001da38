import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { z } from 'zod';
import { inputContract, type InputContract } from '../contract/input-contract.js';
import { forbiddenNames } from '../contract/json-value.js';
import { InvalidSchema, prepared } from '../contract/schema-validation.js';
import {
  ContractViolation,
  describeValue,
  formatPath,
  parsePointer,
  type PropertyViolation,
} from '../contract/violation.js';
import { isPlainObject, type JsonObject } from '../definition/json.js';

/** What a template says of its input: a zod object, JSON Schema, or nothing. @throws {@link InvalidSchema} */
export function taskInput(written: unknown): InputContract {
  if (written === undefined) return { inputSchema: { type: 'object' }, checkInput: anyInput };
  if (written instanceof z.ZodObject) return inputContract(written.shape);
  if (!isPlainObject(written))
    throw new InvalidSchema('an object is expected: { type: object, properties: { … } }');
  // What a file holds is JSON; in JavaScript, what is none is no schema either, and refused when it is compiled.
  const { $schema: _, ...schema } = written as JsonObject;
  const checkInput = jsonSchemaCheck(schema);
  const { type = 'object' } = schema;
  if (type === 'object' || (Array.isArray(type) && type.includes('object')))
    return { inputSchema: schema, checkInput };
  throw new InvalidSchema(
    `a task is started with an object, and it says type: ${JSON.stringify(type)}`,
  );
}

function anyInput(input: JsonObject): JsonObject {
  const forbidden = forbiddenNames(input);
  if (forbidden.length > 0) throw new ContractViolation(forbidden);
  return input;
}

function jsonSchemaCheck(schema: JsonObject): InputContract['checkInput'] {
  const validate = compiled(schema);
  return (input) => {
    // Defaults are put into what is checked.
    const checked = structuredClone(anyInput(input));
    if (validate(checked)) return checked;
    throw new ContractViolation(
      (validate.errors ?? []).map((error) => violationOf(error, checked)),
    );
  };
}

function compiled(schema: JsonObject): ReturnType<Ajv2020['compile']> {
  const ajv = new Ajv2020({
    allErrors: true,
    useDefaults: true,
    strictTypes: false,
    strictTuples: false,
    validateFormats: false,
    verbose: true,
    logger: false,
  });
  try {
    return prepared(ajv, schema).compile(schema);
  } catch (error) {
    throw new InvalidSchema(error instanceof Error ? error.message : String(error));
  }
}

function violationOf(
  { instancePath, keyword, params, message, data }: ErrorObject,
  input: JsonObject,
): PropertyViolation {
  const missing: unknown = keyword === 'required' ? params['missingProperty'] : undefined;
  const extra: unknown = params['additionalProperty'] ?? params['unevaluatedProperty'];
  const named = typeof missing === 'string' ? missing : typeof extra === 'string' ? extra : [];
  const path = formatPath(parsePointer(instancePath).concat(named));
  if (missing !== undefined)
    return { path, got: 'undefined', message: `Property '${path}' is required` };
  if (extra !== undefined)
    return { path, got: 'a value', message: `Property '${path}' is not part of the contract` };
  const got = describeValue(instancePath === '' ? input : data);
  const what = path === '' ? 'The input' : `Property '${path}'`;
  return { path, got, message: `${what} ${rule(keyword, params, message)}, got ${got}` };
}

function rule(
  keyword: string,
  params: Readonly<Record<string, unknown>>,
  message = 'is not valid',
): string {
  const { type, allowedValues, allowedValue } = params;
  if (keyword === 'const') return `expected ${JSON.stringify(allowedValue)}`;
  if (keyword === 'type')
    return `expected ${Array.isArray(type) ? type.join(' or ') : String(type)}`;
  if (keyword === 'enum' && Array.isArray(allowedValues))
    return `expected one of ${allowedValues.map((value) => JSON.stringify(value)).join(', ')}`;
  return message;
}
