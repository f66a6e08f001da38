import { z } from 'zod';
import { CONFIG_OPTIONS } from '../../src/config/config-options.js';
import type { Problem } from '../../src/definition/problem.js';
import { isUnset, type Environment } from './secrets.js';
import { scalar } from './toml-variables.js';

/** Variables of the environment that set an option, whatever is written, by the option's path. */
export const OPTION_VARIABLES: Readonly<Record<string, string>> = {
  'server.port': 'MILLRACE_PORT',
  'worker.enabled': 'MILLRACE_WORKER_ENABLED',
  'worker.http.port': 'MILLRACE_WORKER_PORT',
  'events.enabled': 'MILLRACE_EVENT_BRIDGE_ENABLED',
};

/** What variables of the environment say of the configuration. */
export interface VariableConfig {
  /** By the names that code uses. */
  readonly value: Readonly<Record<string, unknown>>;
  readonly problems: readonly Problem[];
}

/** Reads the options that variables of the environment set. One that is empty is not set. */
export function readConfigVariables(env: Environment): VariableConfig {
  const problems: Problem[] = [];
  let value: Readonly<Record<string, unknown>> = {};
  for (const [option, name] of Object.entries(OPTION_VARIABLES)) {
    if (isUnset(env, name)) continue;
    const text = env[name] ?? '';
    const known = CONFIG_OPTIONS.get(option);
    if (known === undefined) continue;
    const parsed = known.schema.safeParse(scalar(text, known.schema));
    if (parsed.success) value = withOption(value, known.path, parsed.data);
    else {
      const wanted = known.schema instanceof z.ZodBoolean ? 'true or false' : 'a port, 0 to 65535';
      problems.push({
        definition: 'config',
        message: `config: ${option}: ${name} is ${JSON.stringify(text)}. Write ${wanted}, or unset it.`,
      });
    }
  }
  return { value, problems };
}

function withOption(
  group: Readonly<Record<string, unknown>>,
  [name = '', ...rest]: readonly string[],
  value: unknown,
): Readonly<Record<string, unknown>> {
  if (rest.length === 0) return { ...group, [name]: value };
  // Only this function has written what is there.
  const inner = group[name] as Readonly<Record<string, unknown>> | undefined;
  return { ...group, [name]: withOption(inner ?? {}, rest, value) };
}
