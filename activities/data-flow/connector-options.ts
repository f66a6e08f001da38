import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import type { UsePlan } from '../../src/data-flow/run.js';
import type { SinkUse } from '../../src/data-flow/sink.js';
import type { SourceUse } from '../../src/data-flow/source.js';
import { isFunctionTransform } from '../../src/data-flow/transform.js';
import type { JsonObject } from '../../src/definition/json.js';
import { FAILURE_TYPES } from '../../src/pipeline/failure.js';
import type { ObjectType } from '../../src/pipeline/operation.js';
import { permanent } from '../../src/pipeline/permanent.js';
import type { Secrets } from './secrets.js';

type Work = Extract<CompiledDataFlow['work'], { kind: 'move' }>;

/** The deployed connector; the plan says which one the run began with. @throws a permanent error when it is another one */
export function connectorOf<U extends SourceUse | SinkUse>(
  use: U,
  { class_name: name }: UsePlan,
): U {
  if (use.connector.connectorName === name) return use;
  const message = `The run began with connector "${name}"; the deployed code has "${use.connector.connectorName}" in its place. Start another run.`;
  throw permanent(message, undefined, FAILURE_TYPES.contractChanged);
}

/**
 * A connector's options as it takes them: references resolved, checked, with defaults.
 *
 * @throws a permanent error of type `OptionsInvalid`
 */
export async function optionsOf(
  schema: ObjectType,
  { class_name: name, options }: UsePlan,
  secrets: Secrets,
): Promise<JsonObject> {
  const parsed = schema.safeParse(await secrets.reveal(options));
  // Whatever its type: connectors are given what their own schema has made.
  if (parsed.success) return parsed.data as JsonObject;
  // Not the values: they may be secrets.
  const wrong = parsed.error.issues.map(
    ({ path, message }) => `${path.map(String).join('.')}: ${message}`,
  );
  throw permanent(
    `The options of "${name}" are wrong: ${wrong.join('; ')}.`,
    undefined,
    'OptionsInvalid',
  );
}

/** The options of a flow's transform; none where it is a function of the flow's own. */
export async function transformOptions(
  { transform }: Work,
  planned: UsePlan | undefined,
  secrets: Secrets,
): Promise<JsonObject> {
  if (transform === undefined || isFunctionTransform(transform)) return {};
  const { options: schema, connectorName } = transform.transform;
  if (schema === undefined) return {};
  const { options } = transform;
  return optionsOf(schema, planned ?? { class_name: connectorName, options }, secrets);
}
