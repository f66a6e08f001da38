import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadClientConfig, loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig';
import { suggestion } from '../src/definition/suggestion.js';
import { TemporalSettingsInvalid } from './connection-errors.js';

type Variables = Record<string, string>;

/** How to connect, as Temporal's clients take it. */
export type TemporalOptions = ReturnType<typeof toClientOptions>;

const EXAMPLE = 'Write one: [profile.default], and below it address = "127.0.0.1:7233".';

/**
 * The settings of a profile, from `temporal.toml` and `TEMPORAL_*` variables, which win.
 *
 * @param profile - its name; `TEMPORAL_PROFILE`, else `default`, unless set
 * @throws {@link TemporalSettingsInvalid}
 */
export function temporalOptions(profile: string | undefined, env: Variables): TemporalOptions {
  const file = settingsFile(env);
  const name = profile ?? env['TEMPORAL_PROFILE'];
  try {
    const settings = loadClientConfigProfile({
      ...(profile !== undefined && { profile }),
      overrideEnvVars: env,
    });
    // The library takes what the file holds for what its types say.
    const { address, namespace }: { address?: unknown; namespace?: unknown } = settings;
    for (const [key, value] of Object.entries({ address, namespace })) {
      if (value !== undefined && typeof value !== 'string')
        throw new TemporalSettingsInvalid(
          file,
          `"${key}" of profile "${name ?? 'default'}" is a ${typeof value}. Write it in quotes.`,
        );
    }
    // Reads the certificates that the profile names.
    return toClientOptions(settings);
  } catch (error) {
    if (error instanceof TemporalSettingsInvalid) throw error;
    throw new TemporalSettingsInvalid(file, reasonOf(error, file, name, env), error);
  }
}

function reasonOf(
  error: unknown,
  file: string | undefined,
  name: string | undefined,
  env: Variables,
): string {
  // Only errors are thrown there; those of files have a code.
  const { message, code, path } = error as NodeJS.ErrnoException;
  if (code !== undefined && path !== undefined && path !== file)
    return `a file that it, or a variable TEMPORAL_TLS_…, names cannot be read: ${message}.`;
  if (code !== undefined)
    return `it cannot be read: ${message}. Make it a readable file, or name another with TEMPORAL_CONFIG_FILE.`;
  if (message.startsWith('Invalid TOML document')) return `it is no TOML: ${tomlProblem(message)}.`;
  const profiles = knownProfiles(env);
  if (profiles === undefined) return `it has no profile. ${EXAMPLE}`;
  if (name !== undefined && !profiles.includes(name)) {
    const where =
      file === undefined || !existsSync(file) ? 'there is no such file, and so no' : 'it has no';
    const known = profiles.length === 0 ? ` ${EXAMPLE}` : suggestion(name, profiles);
    return `${where} profile "${name}" (TEMPORAL_PROFILE, or \`temporal.profile\` in millrace.config.ts).${known}`;
  }
  return `${message.replace(/\.$/, '')}. Look at the file (TEMPORAL_CONFIG_FILE) and the variables TEMPORAL_*.`;
}

/** `illegal character in key (line 3)`. The parser shows the lines around the place; one of them may hold an API key. */
function tomlProblem(message: string): string {
  const [, what = message] = /^Invalid TOML document: (.+)/.exec(message) ?? [];
  const lines = message.split('\n');
  const pointer = lines.findIndex((line) => /^\s*\^\s*$/.test(line));
  const [, number] = /^\s*(\d+):/.exec(lines[pointer - 1] ?? '') ?? [];
  return number === undefined ? what : `${what} (line ${number})`;
}

/** Undefined for a file without any, at which the library fails. */
function knownProfiles(env: Variables): readonly string[] | undefined {
  try {
    return Object.keys(loadClientConfig({ overrideEnvVars: env }).profiles);
  } catch {
    return undefined;
  }
}

/** The file that Temporal's tools read, whether it is there or not; undefined where they would look nowhere. */
function settingsFile(env: Variables): string | undefined {
  const named = env['TEMPORAL_CONFIG_FILE'];
  if (named !== undefined) return named;
  const home = env['HOME'] || undefined;
  const folder =
    process.platform === 'win32'
      ? env['APPDATA']
      : process.platform === 'darwin'
        ? home && join(home, 'Library', 'Application Support')
        : env['XDG_CONFIG_HOME'] || (home && join(home, '.config'));
  return folder ? join(folder, 'temporalio', 'temporal.toml') : undefined;
}
