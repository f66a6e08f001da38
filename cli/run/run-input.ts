import { readFile, stat } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { isPlainObject, type Json, type JsonObject } from '../../src/definition/json.js';
import type { Definition } from '../../engine/registry.js';
import { UsageError } from '../exit-code.js';

/** Largest input that is read, in bytes. A run takes less: Temporal's payloads have 2 MiB at most. */
const MAX_INPUT_BYTES = 16 * 1024 * 1024;

/** Where an input comes from. */
export interface InputOptions {
  /** A path, or `-` for standard input. */
  readonly input?: string;
  /** The text of the one property that the pipeline requires. */
  readonly text?: string;
  /** `key=value`, each sets one property. */
  readonly set: readonly string[];
}

/**
 * The input of a run, from a file or a text, and from single properties, which win. A file that holds a JSON object is the input; any
 * other text becomes the one property that the pipeline requires, if that is a string.
 *
 * @throws {@link UsageError}
 */
export async function readInput(
  { input, text, set }: InputOptions,
  definition: Definition,
): Promise<JsonObject> {
  if (input !== undefined && text !== undefined)
    throw new UsageError('--input and --text both give the input. Use one of them.');
  const base =
    text !== undefined
      ? textInput(text, definition)
      : input === undefined
        ? {}
        : asInput(await readText(input), input, definition);
  return {
    ...base,
    ...Object.fromEntries(set.map((assignment) => propertyOf(assignment, definition.inputSchema))),
  };
}

async function readText(input: string): Promise<string> {
  const tooLarge = `The input is larger than ${String(MAX_INPUT_BYTES / 1024 / 1024)} MiB. Keep large data in a store and pass a reference.`;
  if (input === '-') {
    const text = await readAll(process.stdin);
    if (Buffer.byteLength(text) > MAX_INPUT_BYTES) throw new UsageError(tooLarge);
    return text;
  }
  try {
    if ((await stat(input)).size > MAX_INPUT_BYTES) throw new UsageError(tooLarge);
    return await readFile(input, 'utf8');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--input: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function asInput(text: string, source: string, definition: Definition): JsonObject {
  const parsed = parseJson(text);
  // What JSON.parse gives is JSON.
  if (isPlainObject(parsed.value)) return parsed.value as JsonObject;
  const isJsonFile = source.endsWith('.json');
  if (isJsonFile && parsed.error !== undefined)
    throw new UsageError(`--input: ${source} is no JSON: ${parsed.error}`);
  const property = isJsonFile ? undefined : onlyRequiredText(definition);
  if (property !== undefined) return { [property]: text };
  throw new UsageError(
    `--input: ${source === '-' ? 'standard input' : source} is no JSON object, and ${noOnlyText(definition)} ` +
      'Write the input as a JSON object.',
  );
}

function textInput(text: string, definition: Definition): JsonObject {
  const property = onlyRequiredText(definition);
  if (property !== undefined) return { [property]: text };
  throw new UsageError(`--text: ${noOnlyText(definition)} Name each: --set key=value.`);
}

function noOnlyText({ name, inputSchema }: Definition): string {
  const required = requiredProperties(inputSchema).join(', ') || 'none';
  return `"${name}" does not require exactly one property that is a string, which a text could become (it requires: ${required}).`;
}

/**
 * One property, from `key=value`: a text where the schema says so, else what the value is as JSON, else a text.
 *
 * @throws {@link UsageError}
 */
export function propertyOf(assignment: string, schema: JsonObject): readonly [string, Json] {
  const at = assignment.indexOf('=');
  if (at <= 0)
    throw new UsageError(`--set ${assignment}: write key=value, such as --set text="some words".`);
  const name = assignment.slice(0, at);
  const value = assignment.slice(at + 1);
  if (typesOf(schema, name).includes('string')) return [name, value];
  const parsed = parseJson(value);
  // What JSON.parse gives is JSON.
  return [name, parsed.error === undefined ? (parsed.value as Json) : value];
}

function onlyRequiredText({ inputSchema }: Definition): string | undefined {
  const [only, ...others] = requiredProperties(inputSchema);
  return only !== undefined && others.length === 0 && typesOf(inputSchema, only).includes('string')
    ? only
    : undefined;
}

function requiredProperties({ required }: JsonObject): readonly string[] {
  return Array.isArray(required)
    ? required.filter((name): name is string => typeof name === 'string')
    : [];
}

function typesOf({ properties }: JsonObject, name: string): readonly unknown[] {
  const schema = isPlainObject(properties) ? properties[name] : undefined;
  const type = isPlainObject(schema) ? schema['type'] : undefined;
  return Array.isArray(type) ? type : [type];
}

function parseJson(text: string): { readonly value?: unknown; readonly error?: string } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
