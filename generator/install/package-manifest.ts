import { isPlainObject } from '../../src/definition/json.js';
import type { TestRunner } from '../../engine/project/test-runner.js';
import { PROJECT_PACKAGES, projectScripts } from './packages.js';

/** What `npm init` writes as the test of a project that has none. */
const NO_TEST = /^echo "Error: no test specified" && exit 1$/;

/** How a package.json is amended. */
export interface PackageOptions {
  /** The name of a project that has no package.json yet. */
  readonly name: string;
  readonly runner: TestRunner;
  /** Whether the project has code of its own, which a change of the module system could break. */
  readonly hasCode: boolean;
}

/**
 * The package.json of a project with Millrace: the given one with scripts and packages that it lacks. What it has stays as it is: a
 * script whose name is taken is called `millrace:<name>`.
 *
 * @param text - undefined where there is none
 * @returns undefined for a text that is no JSON object
 */
export function amendedPackage(
  text: string | undefined,
  { name, runner, hasCode }: PackageOptions,
): string | undefined {
  const manifest = text === undefined ? { name: packageName(name), private: true } : parsed(text);
  if (!isPlainObject(manifest)) return undefined;
  const isModule = manifest['type'] === 'module' || hasCode;
  const known = new Set([
    ...namesIn(manifest, 'dependencies'),
    ...namesIn(manifest, 'devDependencies'),
  ]);
  const missing = (packages: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(packages).filter(
        ([one]) => !known.has(one) && (one !== 'tsx' || runner === 'node'),
      ),
    );
  const amended = {
    ...manifest,
    ...(!isModule && { type: 'module' }),
    ...added(manifest, 'scripts', missingScripts(manifest, runner)),
    ...added(manifest, 'dependencies', missing(PROJECT_PACKAGES.dependencies)),
    ...added(manifest, 'devDependencies', missing(PROJECT_PACKAGES.devDependencies)),
  };
  const indent = /^([ \t]+)"/m.exec(text ?? '')?.[1] ?? '  ';
  const rest = text === undefined || text.endsWith('\n') ? '\n' : '';
  const written = JSON.stringify(amended, undefined, indent) + rest;
  // Another way to write the same is nobody's business.
  return JSON.stringify(amended) === JSON.stringify(manifest) ? text : written;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function namesIn(manifest: Readonly<Record<string, unknown>>, key: string): readonly string[] {
  const members = manifest[key];
  return isPlainObject(members) ? Object.keys(members) : [];
}

function missingScripts(
  manifest: Readonly<Record<string, unknown>>,
  runner: TestRunner,
): Record<string, string> {
  const { scripts } = manifest;
  const there = isPlainObject(scripts) ? scripts : {};
  const own = Object.values(there);
  const entries = Object.entries(projectScripts(runner)).flatMap(([name, script]) => {
    const taken = there[name];
    if (own.includes(script) || there[`millrace:${name}`] !== undefined) return [];
    if (taken === undefined || (typeof taken === 'string' && NO_TEST.test(taken)))
      return [[name, script] as const];
    // A project that has tests has its own way to run them.
    return name === 'test' ? [] : [[`millrace:${name}`, script] as const];
  });
  return Object.fromEntries(entries);
}

function added(
  manifest: Readonly<Record<string, unknown>>,
  key: string,
  members: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const there = manifest[key];
  if (Object.keys(members).length === 0) return {};
  return { [key]: { ...(isPlainObject(there) && there), ...members } };
}

/** A folder's name as npm takes it. */
function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '');
  return name === '' ? 'my-project' : name;
}
