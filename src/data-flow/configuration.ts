import { ContractViolation, violationsOf, type PropertyViolation } from '../contract/violation.js';
import { FORBIDDEN_NAME, type PropertyTypes } from '../contract/contract.js';
import { ownMember, type Json, type JsonObject } from '../definition/json.js';
import type { ObjectType } from '../pipeline/operation.js';

/** A flow's configuration in the catalog does not fit the schema that the deployed code has. Such a flow is not run. */
export class ConfigurationInvalid extends Error {
  override readonly name = 'ConfigurationInvalid';
  constructor(
    readonly flow: string,
    readonly violations: readonly PropertyViolation[],
  ) {
    const listed = violations.map(({ message }) => message).join('; ');
    super(`The configuration of "${flow}" does not fit its schema: ${listed}.`);
  }
}

/** The configuration that a flow has while nobody has changed it: every default, and nothing that has none. */
export function defaultsOf(configuration: ObjectType): JsonObject {
  const whole = configuration.safeParse({});
  // Checked before: what comes out of it is JSON.
  if (whole.success) return whole.data as JsonObject;
  const properties: PropertyTypes = configuration.shape;
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, type]) => {
      const value = type.safeParse(undefined);
      return value.success && value.data !== undefined ? [[name, value.data as Json]] : [];
    }),
  );
}

/** What is wrong with a configuration; nothing when it can be used. */
export function configurationViolations(
  configuration: ObjectType,
  value: JsonObject,
): readonly PropertyViolation[] {
  const unknown = Object.keys(value)
    .filter((name) => name === FORBIDDEN_NAME || ownMember(configuration.shape, name) === undefined)
    .map((name) => ({
      path: name,
      got: typeof value[name],
      message: `Property '${name}' is not part of the configuration`,
    }));
  const parsed = configuration.safeParse(value);
  return parsed.success ? unknown : [...unknown, ...violationsOf(parsed.error, value)];
}

/**
 * A configuration as a run gets it, with defaults filled in.
 *
 * @throws {@link ConfigurationInvalid}
 */
export function parseConfiguration(
  { name, configuration }: { readonly name: string; readonly configuration: ObjectType },
  value: JsonObject,
): JsonObject {
  const violations = configurationViolations(configuration, value);
  if (violations.length > 0) throw new ConfigurationInvalid(name, violations);
  // Checked when the flow was loaded: what comes out of it is JSON.
  return configuration.parse(value) as JsonObject;
}

/** Checks a change of the configuration. @throws {@link ContractViolation} with the path of each wrong property */
export function checkConfiguration(configuration: ObjectType, value: JsonObject): void {
  const violations = configurationViolations(configuration, value).map((violation) => ({
    ...violation,
    path: violation.path === '' ? 'configuration' : `configuration.${violation.path}`,
  }));
  if (violations.length > 0) throw new ContractViolation(violations);
}
