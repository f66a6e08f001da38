import { ContractViolation, type PropertyViolation } from '../contract/violation.js';
import { isPlainObject, type Json, type JsonObject } from '../definition/json.js';
import { suggestion } from '../definition/suggestion.js';
import type { FlowChange, FlowRecord } from './catalog.js';
import type { CompiledDataFlow } from './compile.js';
import { checkConfiguration } from './configuration.js';
import { FLOW_LIMITS } from './limits.js';

/** What may be changed, by the names of the API. */
const CHANGEABLE = ['enabled', 'run_interval', 'configuration'] as const;

/** Longest interval, in seconds: a hundred years, which no clock's arithmetic minds. */
const MAX_INTERVAL = 100 * 365 * 86_400;

/**
 * A change of a flow as an operator asks for it. The configuration is merged over the one that the flow has: properties
 * that are not named stay, those that are null go back to their default.
 *
 * @throws {@link ContractViolation} with the path of each wrong property
 */
export function checkChange(
  change: Readonly<Record<string, Json>>,
  record: FlowRecord,
  definition: CompiledDataFlow | undefined,
): FlowChange {
  const { enabled, run_interval: runInterval, configuration } = change;
  const violations: readonly (PropertyViolation | undefined)[] = [
    ...Object.keys(change)
      .filter((name) => !CHANGEABLE.some((known) => known === name))
      .map((name) => ({
        path: name,
        got: typeof change[name],
        message: `Property '${name}' cannot be changed.${suggestion(name, CHANGEABLE)}`,
      })),
    enabled === undefined || typeof enabled === 'boolean'
      ? undefined
      : violation('enabled', 'boolean', enabled),
    runInterval === undefined ? undefined : intervalViolation(runInterval, record),
    configuration === undefined || isPlainObject(configuration)
      ? undefined
      : violation('configuration', 'object', configuration),
  ];
  const found = violations.filter((one) => one !== undefined);
  if (found.length > 0) throw new ContractViolation(found);
  const merged = isPlainObject(configuration)
    ? mergeConfiguration(record, definition, configuration)
    : undefined;
  return {
    ...(typeof enabled === 'boolean' && { enabled }),
    ...(typeof runInterval === 'number' && { runInterval }),
    ...(merged !== undefined && { configuration: merged }),
  };
}

function mergeConfiguration(
  record: FlowRecord,
  definition: CompiledDataFlow | undefined,
  change: JsonObject,
): JsonObject {
  const defaults = definition?.defaults ?? {};
  const changed = Object.entries(change).map(([name, value]): [string, Json | undefined] => [
    name,
    value === null ? defaults[name] : value,
  ]);
  const merged = Object.entries({ ...record.configuration, ...Object.fromEntries(changed) });
  // Values that have no default are gone then.
  const configuration = Object.fromEntries(
    merged.filter((entry): entry is [string, Json] => entry[1] !== undefined),
  );
  if (definition !== undefined) checkConfiguration(definition.configuration, configuration);
  return configuration;
}

function intervalViolation(value: Json, record: FlowRecord): PropertyViolation | undefined {
  if (record.runInterval === null) {
    return {
      path: 'run_interval',
      got: typeof value,
      message: `Property 'run_interval' cannot be changed: "${record.name}" has no interval`,
    };
  }
  const valid =
    typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= MAX_INTERVAL;
  return valid
    ? undefined
    : violation('run_interval', 'a whole number of seconds greater than 0', value);
}

/**
 * A note on why a flow is paused or goes on, as it is given.
 *
 * @throws {@link ContractViolation}
 */
export function checkNote(note: Json): string {
  const most = FLOW_LIMITS.noteCharacters;
  if (typeof note === 'string' && note.length <= most) return note;
  const expected = `string of at most ${String(most)} characters`;
  const got = typeof note === 'string' ? `one of ${String(note.length)}` : typeof note;
  const message = `Property 'note' expected ${expected}, got ${got}`;
  throw new ContractViolation([{ path: 'note', expected, got, message }]);
}

/**
 * A range of times to run again.
 *
 * @throws {@link ContractViolation}
 */
export function checkRange(range: Readonly<Record<string, Json>>): {
  readonly start: Date;
  readonly end: Date;
} {
  const times = { start: timeOf(range['start']), end: timeOf(range['end']) };
  const { start, end } = times;
  const wrong = (['start', 'end'] as const)
    .filter((name) => times[name] === undefined)
    .map((name) => violation(name, 'a time such as 2026-01-31T12:00:00Z', range[name] ?? null));
  if (start === undefined || end === undefined) throw new ContractViolation(wrong);
  if (end.getTime() < start.getTime()) {
    const message = `Property 'end' must not be before 'start'`;
    throw new ContractViolation([{ path: 'end', got: 'string', message }]);
  }
  return { start, end };
}

function timeOf(value: Json | undefined): Date | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}/.test(value)) return undefined;
  const time = new Date(value);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

function violation(path: string, expected: string, value: Json): PropertyViolation {
  const got = typeof value === 'object' ? typeof value : JSON.stringify(value);
  return { path, expected, got, message: `Property '${path}' expected ${expected}, got ${got}` };
}
