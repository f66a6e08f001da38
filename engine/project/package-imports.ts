import { existsSync, readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild';
import { z } from 'zod';

/** Packages that a project's files import: one without them gets the ones that this installation has. */
export const PROVIDED: readonly string[] = [
  'millrace',
  'zod',
  '@temporalio/activity',
  '@temporalio/common',
  '@temporalio/workflow',
];

/**
 * Leaves packages to Node at run time, but reports those that are not installed, with the place of their import.
 * Those that Millrace brings along always are: a folder with nothing but definitions works.
 *
 * @param dir - the project, from where Node looks for packages when the bundle runs
 */
export function packageImports(dir: string): Plugin {
  return {
    name: 'millrace:package-imports',
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, (args) => resolvePackage(args, build, dir));
    },
  };
}

async function resolvePackage(
  args: OnResolveArgs,
  build: PluginBuild,
  dir: string,
): Promise<OnResolveResult | undefined> {
  const { path, kind, resolveDir } = args;
  if (kind === 'entry-point' || args.pluginData === LEAVE_ALONE) return undefined;
  if (isBuiltin(path)) return { path, external: true };
  if (!PACKAGE.test(path)) return undefined;
  const name = packageName(path);
  if (isInstalled(name, dir)) return { path, external: true };
  if (isInstalled(name, resolveDir)) return { path: elsewhere(path, resolveDir), external: true };
  if (PROVIDED.includes(name)) return { path: import.meta.resolve(path), external: true };
  const mapped = await build.resolve(path, {
    kind,
    resolveDir,
    importer: args.importer,
    pluginData: LEAVE_ALONE,
  });
  // An alias of the project's tsconfig leads to a file; anything else is a package that is missing.
  if (mapped.errors.length === 0 && !mapped.external) return { path: mapped.path };
  // What is imported while the code runs may be optional, and the code then catches its absence.
  if (kind === 'dynamic-import') return { path, external: true };
  return { errors: [{ text: `There is no package "${name}". Install it: npm install ${name}` }] };
}

const LEAVE_ALONE = Symbol('resolve as esbuild does');

/** `zod`, `zod/v4`, `@scope/name/part`; not `#internal`, `https://…` or `C:\…`. */
const PACKAGE = /^(?:@[\w.~-]+\/)?[\w.~-]+(?:\/.*)?$/;

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Files outside of the project's folder may have packages of their own, which Node would not find from the bundle. */
function elsewhere(specifier: string, from: string): string {
  try {
    return pathToFileURL(createRequire(join(from, 'module.js')).resolve(specifier)).href;
  } catch {
    return specifier;
  }
}

/** True when Node would find the package from this folder: in a `node_modules` above it, or as its own package. */
function isInstalled(name: string, from: string): boolean {
  let inScope = true;
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'node_modules', name))) return true;
    const manifest = join(folder, 'package.json');
    if (inScope && existsSync(manifest)) {
      inScope = false;
      if (exportsItself(manifest, name)) return true;
    }
    if (dirname(folder) === folder) return false;
  }
}

const manifestSchema = z.object({ name: z.string(), exports: z.unknown() });

function exportsItself(manifest: string, name: string): boolean {
  const parsed = manifestSchema.safeParse(parseJson(readFileSync(manifest, 'utf8')));
  return parsed.success && parsed.data.name === name && parsed.data.exports !== undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
