import { z } from 'zod';
import { configSchema, duration } from './config-schema.js';
import { codeName, writtenName } from './written-form.js';

/** An option of the configuration that is no group of others. */
export interface ConfigOption {
  /** `['server', 'port']`. */
  readonly path: readonly string[];
  /** What it takes, without its default. */
  readonly schema: z.ZodType;
  /** Undefined where it has none, or one that depends on others. A length of time is in milliseconds. */
  readonly defaultValue: unknown;
  /** A length of time, such as `30s`. */
  readonly isDuration: boolean;
  /** A function or an object of code: nothing that a text could say. */
  readonly isCode: boolean;
}

/** Options that code alone can set, beside those that are functions. */
const CODE: readonly string[] = [
  'services',
  ...[
    'nexusServices',
    'patchActivationCallback',
    'interceptors',
    'plugins',
    'sinks',
    'workflowFailureErrorTypes',
  ].map((name) => `worker.${name}`),
];

/** Every option, by its path: `server.port`. In the order in which the schema has them. */
export const CONFIG_OPTIONS: ReadonlyMap<string, ConfigOption> = new Map(
  optionsBelow(configSchema, []).map((option) => [option.path.join('.'), option]),
);

const GROUPS: ReadonlySet<string> = new Set(
  [...CONFIG_OPTIONS.values()].flatMap(({ path }) =>
    path.slice(0, -1).map((_, at) => path.slice(0, at + 1).join('.')),
  ),
);

/** Whether a path is that of options with a name in common: `server`, `dataFlows.heartbeat`. */
export function isConfigGroup(path: readonly (string | number)[]): boolean {
  return path.length === 0 || GROUPS.has(path.join('.'));
}

/** The names that there are in a group. */
export function namesInGroup(group: readonly (string | number)[]): readonly string[] {
  const names = [...CONFIG_OPTIONS.values()].flatMap(({ path }) =>
    group.every((name, at) => path[at] === name) ? (path[group.length] ?? []) : [],
  );
  return [...new Set(names)];
}

/** A path as TOML writes it (`data_flows.heartbeat`), by the names that code uses, also below options. */
export function codePath(written: readonly (string | number)[]): readonly (string | number)[] {
  return written.reduce<readonly (string | number)[]>((path, part) => {
    if (typeof part === 'number') return [...path, part];
    return [
      ...path,
      namesInGroup(path).find((name) => writtenName(name) === part) ?? codeName(part),
    ];
  }, []);
}

function optionsBelow(schema: z.ZodType, path: readonly string[]): readonly ConfigOption[] {
  const inner = withoutDefault(schema);
  if (inner instanceof z.ZodObject)
    return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([name, member]) =>
      optionsBelow(member, [...path, name]),
    );
  // Of a worker's, Temporal's own types describe many that are plain data.
  const isFunction = inner instanceof z.ZodCustom && path.length === 1;
  const isCode = isFunction || CODE.includes(path.join('.'));
  const defaultValue = defaultOf(schema);
  return [{ path, schema: inner, defaultValue, isDuration: inner === duration, isCode }];
}

function defaultOf(schema: z.ZodType): unknown {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
    ? schema.def.defaultValue
    : undefined;
}

function withoutDefault(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
    ? withoutDefault(schema.unwrap() as z.ZodType)
    : schema;
}
