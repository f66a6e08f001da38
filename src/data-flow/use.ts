import { z } from 'zod';
import { violationsOf } from '../contract/violation.js';
import { references } from '../config/references.js';
import { isDefinition } from '../definition/brand.js';
import { isPlainObject, type JsonObject } from '../definition/json.js';
import type { ObjectType } from '../pipeline/operation.js';
import type { ProblemList } from '../pipeline/problem-list.js';
import type { InlineTransform } from './transform.js';
import { configurationViolations } from './configuration.js';
import type { DataFlow } from './data-flow.js';
import type { FlowRequest } from './request.js';
import type { SinkUse } from './sink.js';
import type { SourceUse } from './source.js';
import type { TransformUse } from './transform.js';

/** The connectors of a flow, checked as far as they are known before a run. */
export interface CompiledUses {
  readonly source: (request: FlowRequest) => SourceUse;
  readonly sink: (request: FlowRequest) => SinkUse;
  readonly transform?: TransformUse | InlineTransform;
}

/** A connector's options are not what its schema says, which could only be seen when a run began. */
export class OptionsInvalid extends Error {
  override readonly name = 'OptionsInvalid';
}

/** Checks what a flow says about its source, transform and sink. */
export function compileUses(
  { source, sink, transform }: DataFlow['written'],
  configured: { readonly configuration: ObjectType; readonly defaults: JsonObject },
  problems: ProblemList,
): CompiledUses | undefined {
  const from = compileUse('source', source, configured, problems);
  const to = compileUse('sink', sink, configured, problems);
  const between = compileTransform(transform, problems);
  if (from === undefined || to === undefined) return undefined;
  return { source: from, sink: to, ...(between !== undefined && { transform: between }) };
}

/** Uses by their kind. */
interface Uses {
  readonly source: SourceUse;
  readonly sink: SinkUse;
}

function compileUse<K extends keyof Uses>(
  kind: K,
  written: unknown,
  {
    configuration,
    defaults,
  }: { readonly configuration: ObjectType; readonly defaults: JsonObject },
  problems: ProblemList,
): ((request: FlowRequest) => Uses[K]) | undefined {
  const asked =
    typeof written === 'function' && !isDefinition(written, kind)
      ? (written as (request: FlowRequest) => unknown)
      : () => written;
  const checked = (request: FlowRequest): Uses[K] => {
    const use = asked(request);
    if (isUse(use, kind)) return use as Uses[K];
    throw new OptionsInvalid(notAUse(kind, use));
  };
  // What depends on a configuration that has no defaults is only known when a run begins.
  if (asked === written && configurationViolations(configuration, defaults).length > 0)
    return checked;
  checkDefault(kind, () => checked(defaultRequest(configuration, defaults)), problems);
  return checked;
}

function checkDefault(
  kind: 'source' | 'sink',
  ask: () => SourceUse | SinkUse,
  problems: ProblemList,
): void {
  try {
    const { connector, options } = ask();
    const at = `${kind} "${connector.connectorName}": `;
    for (const message of optionProblems(connector.options, options))
      problems.add([kind, 'options'], `${at}${message}`);
    for (const name of withPasswords(options))
      problems.add(
        [kind, 'options'],
        `${at}option '${name}' holds a password, which is stored with every run. Write a reference in its place: "\${DB_PASSWORD}" or "secret://db".`,
        'warning',
      );
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    problems.add([kind], error instanceof OptionsInvalid ? message : `${kind}: ${message}`);
  }
}

function defaultRequest(configuration: ObjectType, defaults: JsonObject): FlowRequest {
  const parsed = configuration.safeParse(defaults);
  return {
    // Checked before: what comes out of it is JSON.
    configuration: parsed.success ? (parsed.data as JsonObject) : defaults,
    trigger: 'manual',
    scheduledAt: undefined,
  };
}

function compileTransform(
  written: unknown,
  problems: ProblemList,
): TransformUse | InlineTransform | undefined {
  if (written === undefined) return undefined;
  if (isDefinition(written, 'transform')) {
    problems.add(['transform'], 'transform: call it with its options: trimmed().');
    return undefined;
  }
  // What a function takes and gives is said by the types of defineDataFlow.
  if (typeof written === 'function') return written as InlineTransform;
  if (isPlainObject(written) && isDefinition(written['transform'], 'transform')) {
    // Made by calling a transform with its options.
    const use = written as unknown as TransformUse;
    const { options: schema, connectorName } = use.transform;
    const found =
      schema === undefined
        ? Object.keys(use.options).map((name) => `it has no option "${name}".`)
        : optionProblems(schema, use.options);
    for (const message of found)
      problems.add(['transform', 'options'], `transform "${connectorName}": ${message}`);
    return use;
  }
  problems.add(['transform'], 'transform must be a function, or a transform with its options.');
  return undefined;
}

/** What is wrong with a connector's options, as sentences. References stand for texts that nobody knows yet. */
function optionProblems(schema: ObjectType, options: JsonObject): readonly string[] {
  const parsed = schema.safeParse(options);
  if (parsed.success) return [];
  const referring = new Set(references(options).map(({ path }) => JSON.stringify(path)));
  return parsed.error.issues
    .filter(({ path }) => !referring.has(JSON.stringify(path)))
    .flatMap((issue) => violationsOf(new z.ZodError([issue]), options))
    .map(({ message }) => `${message.replace(/^Property/, 'option')}.`);
}

/** Options with an address that has a password in it, rather than a reference to one. */
function withPasswords(options: JsonObject): readonly string[] {
  return Object.entries(options)
    .filter(([, value]) => typeof value === 'string' && PASSWORD.test(value))
    .map(([name]) => name);
}

/** `scheme://user:password@`. */
const PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^/@:\s]*:(?!\$\{|secret:)[^/@\s]+@/i;

function isUse(value: unknown, kind: 'source' | 'sink'): boolean {
  return isPlainObject(value) && isDefinition(value['connector'], kind);
}

function notAUse(kind: 'source' | 'sink', value: unknown): string {
  const example =
    kind === 'source' ? "csvSource({ path: 'orders.csv' })" : "csvSink({ path: 'out.csv' })";
  if (isDefinition(value, kind)) return `${kind}: call it with its options: ${example}.`;
  const other = kind === 'source' ? 'sink' : 'source';
  if (isUse(value, other)) return `${kind}: this is a ${other}. Write a ${kind}: ${example}.`;
  return `${kind} must be a ${kind} with its options: ${example}.`;
}
