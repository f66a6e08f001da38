import type { FlowDeclaration } from '../../../src/data-flow/catalog.js';
import {
  canonicalJson,
  ownMember,
  type Json,
  type JsonObject,
} from '../../../src/definition/json.js';

/** What both the code and an operator decide. */
export type Settings = Pick<FlowDeclaration, 'enabled' | 'runInterval' | 'configuration'>;

/** What of a flow both the code and an operator decide. */
export function settingsOf({ enabled, runInterval, configuration }: Settings): Settings {
  return { enabled, runInterval, configuration };
}

/**
 * Merges what the code says now into what the catalog has: a value follows the code while it is what the code said last, and
 * otherwise is an operator's. Each member of the configuration is a value of its own.
 */
export function reconcile(current: Settings, saidLast: Settings, saidNow: Settings): Settings {
  return {
    enabled: current.enabled === saidLast.enabled ? saidNow.enabled : current.enabled,
    runInterval:
      current.runInterval === saidLast.runInterval ? saidNow.runInterval : current.runInterval,
    configuration: reconcileMembers(
      current.configuration,
      saidLast.configuration,
      saidNow.configuration,
    ),
  };
}

/** A member that is missing is a value as well: an operator may have removed it, or the code. */
function reconcileMembers(
  current: JsonObject,
  saidLast: JsonObject,
  saidNow: JsonObject,
): JsonObject {
  const names = new Set([...Object.keys(saidNow), ...Object.keys(current)]);
  const members = [...names].map((name): readonly [string, Json | undefined] => {
    const has = ownMember(current, name);
    const followsCode = same(has, ownMember(saidLast, name));
    return [name, followsCode ? ownMember(saidNow, name) : has];
  });
  return Object.fromEntries(
    members.filter((member): member is readonly [string, Json] => member[1] !== undefined),
  );
}

function same(a: Json | undefined, b: Json | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return canonicalJson(a) === canonicalJson(b);
}
