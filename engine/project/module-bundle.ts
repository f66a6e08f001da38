import { resolve } from 'node:path';
import {
  build,
  type BuildFailure,
  type BuildOptions,
  type BuildResult,
  type Message,
} from 'esbuild';
import type { Problem } from '../../src/definition/problem.js';
import { makeBuildFolder } from './build-folder.js';
import { OWN_LOCATION_DEFINES, ownLocation } from './own-location.js';
import { packageImports } from './package-imports.js';
import { shownPath } from './site.js';

/** Modules of a project, compiled to what Node runs. */
export interface ModuleBundle {
  /** The compiled file of each module that was asked for; both absolute. */
  readonly compiled: ReadonlyMap<string, string>;
  /** The files that others of them import; absolute. */
  readonly imported: ReadonlySet<string>;
  /** Every file of the project that is in it; absolute. */
  readonly inputs: readonly string[];
  /** The files that a module is made of: itself, and what it imports, also through others; absolute. */
  readonly inputsOf: (file: string) => readonly string[];
}

const EMPTY_BUNDLE: ModuleBundle = {
  compiled: new Map(),
  imported: new Set(),
  inputs: [],
  inputsOf: () => [],
};

/** What bundling gave: the bundle unless there is an error among the problems. */
export interface Bundling<T> {
  readonly bundle?: T;
  readonly problems: readonly Problem[];
}

/**
 * Compiles modules together, so that what two of them import exists once, into a fresh folder below `.millrace/`.
 *
 * @param dir - the project, an absolute real path
 * @param files - absolute paths
 */
export async function bundleModules(
  dir: string,
  files: readonly string[],
): Promise<Bundling<ModuleBundle>> {
  if (files.length === 0) return { bundle: EMPTY_BUNDLE, problems: [] };
  const outdir = await makeBuildFolder(dir);
  const shifts = new Map<string, number>();
  const { result, problems } = await run(dir, shifts, {
    entryPoints: [...new Set(files)],
    outdir,
    outbase: dir,
    splitting: true,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    sourcemap: true,
    sourcesContent: false,
    write: true,
  });
  if (result === undefined) return { problems };
  const outputs = Object.entries(result.metafile.outputs);
  const compiled = outputs.flatMap(([output, { entryPoint }]) =>
    entryPoint === undefined ? [] : [[resolve(dir, entryPoint), resolve(dir, output)] as const],
  );
  const inputs = Object.keys(result.metafile.inputs).map((input) => resolve(dir, input));
  const imports = new Map(
    Object.entries(result.metafile.inputs).map(([input, { imports: imported }]) => [
      resolve(dir, input),
      imported.flatMap(({ path, external }) => (external === true ? [] : [resolve(dir, path)])),
    ]),
  );
  const bundle: ModuleBundle = {
    compiled: new Map(compiled),
    imported: new Set([...imports.values()].flat()),
    inputs,
    inputsOf: (file) => reachable(file, imports),
  };
  return { bundle, problems };
}

function reachable(
  from: string,
  imports: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const found = new Set([from]);
  // A set is walked through in the order of adding, also what is added on the way.
  for (const file of found) for (const next of imports.get(file) ?? []) found.add(next);
  return [...found];
}

/** What modules export and import, without compiling them to files. */
export interface ModuleOutline {
  /** Names that each module exports, also those it passes on; by absolute path. */
  readonly exports: ReadonlyMap<string, readonly string[]>;
  /** Packages that each module needs, also through other files; by absolute path. */
  readonly packages: ReadonlyMap<string, readonly string[]>;
  /** Files of which code is in each module, itself included; by absolute path, absolute. */
  readonly parts: ReadonlyMap<string, readonly string[]>;
  readonly inputs: readonly string[];
}

/** Reads what modules export and import, without running them. */
export async function outlineModules(
  dir: string,
  files: readonly string[],
): Promise<Bundling<ModuleOutline>> {
  if (files.length === 0)
    return {
      bundle: { exports: new Map(), packages: new Map(), parts: new Map(), inputs: [] },
      problems: [],
    };
  const { result, problems } = await run(dir, new Map(), {
    entryPoints: [...new Set(files)],
    outdir: resolve(dir, '.millrace', 'outline'),
    outbase: dir,
    write: false,
  });
  if (result === undefined) return { problems };
  const outputs = Object.values(result.metafile.outputs).flatMap((output) =>
    output.entryPoint === undefined ? [] : [{ ...output, file: resolve(dir, output.entryPoint) }],
  );
  const bundle: ModuleOutline = {
    exports: new Map(outputs.map(({ file, exports }) => [file, exports])),
    packages: new Map(
      outputs.map(({ file, imports }) => [
        file,
        imports.flatMap(({ path, external }) => (external ? [path] : [])),
      ]),
    ),
    parts: new Map(
      outputs.map(({ file, inputs }) => [
        file,
        Object.keys(inputs).map((input) => resolve(dir, input)),
      ]),
    ),
    inputs: Object.keys(result.metafile.inputs).map((input) => resolve(dir, input)),
  };
  return { bundle, problems };
}

type Built = BuildResult<{ metafile: true }>;

async function run(
  dir: string,
  shifts: Map<string, number>,
  options: BuildOptions,
): Promise<{ readonly result?: Built; readonly problems: readonly Problem[] }> {
  try {
    const result = await build({
      ...options,
      absWorkingDir: dir,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      metafile: true,
      logLevel: 'silent',
      define: { ...OWN_LOCATION_DEFINES },
      plugins: [packageImports(dir), ownLocation(shifts)],
    });
    return {
      result,
      problems: result.warnings.map((message) => problemOf(message, 'warning', dir, shifts)),
    };
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    return {
      problems: [
        ...error.errors.map((message) => problemOf(message, 'error', dir, shifts)),
        ...error.warnings.map((message) => problemOf(message, 'warning', dir, shifts)),
      ],
    };
  }
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && 'warnings' in error;
}

function problemOf(
  { text, location }: Message,
  severity: 'error' | 'warning',
  dir: string,
  shifts: ReadonlyMap<string, number>,
): Problem {
  const message = /[.!?]$/.test(text) ? text : `${text}.`;
  if (location === null) return { message, severity };
  const file = resolve(dir, location.file);
  const shift = location.line === 1 ? (shifts.get(file) ?? 0) : 0;
  // esbuild counts columns from 0.
  const site = {
    file: shownPath(file, dir),
    line: location.line,
    column: location.column - shift + 1,
  };
  return { site, message, severity };
}
