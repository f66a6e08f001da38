import { createHash } from 'node:crypto';
import {
  access,
  mkdir,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type BundleOptions, type Logger } from '@temporalio/worker';
import { build, type BuildOptions } from 'esbuild';

/** What goes into a bundle of workflow code. */
export interface WorkflowBundleOptions {
  /** Hand-written workflow modules of the project, absolute paths. */
  readonly files: readonly string[];
  /** Modules that export `interceptors` beside our own: absolute paths, or names of packages. */
  readonly interceptorModules?: readonly string[];
  /** Where bundles are kept. Created if needed. */
  readonly cacheDir: string;
  readonly logger?: Logger;
}

/** The file of our own workflows: TypeScript in the repository, JavaScript in the package. */
const OWN_WORKFLOWS = moduleFile('../workflows/index');
const INTERCEPTORS = moduleFile('../workflows/interceptors');

/** What the package exports as `millrace/workflow`. A run's worker decides which version of it the run has. */
const FOR_WORKFLOW_CODE = {
  name: 'millrace/workflow',
  file: moduleFile('../workflows/child-pipeline'),
};

/** Modules that are evaluated once for each worker instead of once for each run. They keep nothing of a run. */
export const PRELOADED_MODULES: readonly string[] = [OWN_WORKFLOWS, INTERCEPTORS];

/** Most bundles that are kept in a folder, but for those that may be in use. */
const MAX_BUNDLES = 20;

/**
 * A bundle that was asked for within this time, in milliseconds, may be about to be read by some process. A worker reads it once,
 * when it is made.
 */
const MAYBE_IN_USE_MS = 60 * 60 * 1_000;

/** Everything that is written for one bundle: itself, its entry, and what a stopped process has left of it. */
const BUNDLE_FILE = /^workflows-([0-9a-f]+)\.(?:js|entry\.mjs|js\.\d+)$/;

/** Changes when the way in which bundles are made does. */
const BUNDLE_FORM = 'preloaded';

/** The folder of packages that holds Temporal's SDK: `…/node_modules`. */
const PACKAGES = resolve(fileURLToPath(import.meta.resolve('@temporalio/workflow')), '../../../..');

/**
 * The bundle that workers run workflows from: our own and the project's hand-written ones. Built once for each content
 * and kept, since webpack takes a second or more; of many, the ones that were used last.
 *
 * @returns the path of the bundle's file
 */
export async function workflowBundle({
  files,
  interceptorModules = [],
  cacheDir: folder,
  logger,
}: WorkflowBundleOptions): Promise<string> {
  await mkdir(folder, { recursive: true });
  // The bundler looks for what it makes itself behind symbolic links, where that is not.
  const cacheDir = await realpath(folder);
  const entry = [`export { default } from ${JSON.stringify(OWN_WORKFLOWS)};`]
    .concat(
      exported(OWN_WORKFLOWS),
      files.length > 1 ? await eachNameOnce(files) : files.map(exported),
    )
    .join('\n');
  const key = await contentHash([entry, ...interceptorModules.map(exported)].join('\n'));
  const bundleFile = join(cacheDir, `workflows-${key}.js`);
  if (await inUse(bundleFile)) return bundleFile;
  const entryFile = join(cacheDir, `workflows-${key}.entry.mjs`);
  await writeFile(entryFile, entry);
  const { code } = await bundleWorkflowCode({
    workflowsPath: entryFile,
    workflowInterceptorModules: [INTERCEPTORS, ...interceptorModules],
    preloadModules: [...PRELOADED_MODULES],
    // Sources say './x.js' and mean './x.ts', as Node and TypeScript have it; webpack needs to be told.
    webpackConfigHook: (config) => ({
      ...config,
      resolve: {
        ...config.resolve,
        extensionAlias: { '.js': ['.ts', '.js'], '.mjs': ['.mts', '.mjs'] },
        // The entry lies in a cache folder, from where no package is found.
        modules: ['node_modules', PACKAGES],
        alias: withOwnModule(config.resolve?.alias),
      },
    }),
    ...(logger !== undefined && { logger }),
  });
  // Renamed into place, so that a process that is stopped half-way leaves no half bundle behind.
  const partial = `${bundleFile}.${String(process.pid)}`;
  await writeFile(partial, code);
  await rename(partial, bundleFile);
  await pruneBundles(cacheDir);
  return bundleFile;
}

/** True for a bundle that is there, which is marked as used. */
async function inUse(bundleFile: string): Promise<boolean> {
  const now = new Date();
  // Where nothing can be written there is nobody who removes bundles either.
  await utimes(bundleFile, now, now).catch(() => undefined);
  return exists(bundleFile);
}

/** Removes bundles that were not used for long. What cannot be removed stays: no worker's start may fail for it. */
async function pruneBundles(cacheDir: string): Promise<void> {
  const usedAt = new Map<string, number>();
  const names = await readdir(cacheDir).catch(() => []);
  for (const name of names.filter((it) => it.endsWith('.js'))) {
    const key = keyOf(name);
    if (key !== undefined) usedAt.set(key, await modifiedAt(join(cacheDir, name)));
  }
  const newest = [...usedAt].sort(([, a], [, b]) => b - a).slice(0, MAX_BUNDLES);
  const kept = new Set(newest.map(([key]) => key));
  for (const name of names) {
    const key = keyOf(name);
    if (key !== undefined && !kept.has(key)) await removeUnused(join(cacheDir, name));
  }
}

/** Looks at the file again: another process may have asked for it since. */
async function removeUnused(file: string): Promise<void> {
  if (Date.now() - (await modifiedAt(file)) < MAYBE_IN_USE_MS) return;
  await rm(file, { force: true }).catch(() => undefined);
}

function keyOf(name: string): string | undefined {
  return BUNDLE_FILE.exec(name)?.[1];
}

/** Milliseconds since the epoch. A file that is gone counts as just used: then nobody needs to remove it. */
async function modifiedAt(file: string): Promise<number> {
  return stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => Date.now(),
  );
}

type Aliases = NonNullable<NonNullable<Webpack['resolve']>['alias']>;
type Webpack = Parameters<NonNullable<BundleOptions['webpackConfigHook']>>[0];

/** Temporal's own aliases, which keep Node's modules out of the bundle, and ours. */
function withOwnModule(aliases: Aliases | undefined): Aliases {
  const { name, file } = FOR_WORKFLOW_CODE;
  return Array.isArray(aliases)
    ? [...aliases, { name, alias: file, onlyModule: true }]
    : { ...aliases, [`${name}$`]: file };
}

function exported(file: string): string {
  return `export * from ${JSON.stringify(file)};`;
}

/**
 * Exports of several files by their names: two may have one of the same name, such as a signal, which the bundler refuses in `export *`.
 * Those are the first file's. Names of workflows are none of them: the loader tells of two.
 */
async function eachNameOnce(files: readonly string[]): Promise<readonly string[]> {
  const { metafile } = await build({
    ...ESBUILD,
    entryPoints: [...files],
    outdir: dirname(OWN_WORKFLOWS),
    metafile: true,
  });
  const taken = new Set(['default']);
  return Object.values(metafile.outputs).flatMap(({ entryPoint, exports }) => {
    const names = exports.filter((name) => !taken.has(name));
    for (const name of names) taken.add(name);
    if (entryPoint === undefined || names.length === 0) return [];
    return `export { ${names.join(', ')} } from ${JSON.stringify(resolve(entryPoint))};`;
  });
}

/** How esbuild reads workflow code: as webpack does after it. Nothing is written. */
const ESBUILD = {
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
  logLevel: 'silent',
  nodePaths: [PACKAGES],
  alias: { [FOR_WORKFLOW_CODE.name]: FOR_WORKFLOW_CODE.file },
  tsconfigRaw: {},
} satisfies BuildOptions;

/** A hash of all code that the bundle is made of, packages included. */
async function contentHash(entry: string): Promise<string> {
  const { outputFiles } = await build({
    ...ESBUILD,
    stdin: {
      contents: `${entry}\nexport * from ${JSON.stringify(INTERCEPTORS)};\nexport * from '@temporalio/workflow/lib/worker-interface.js';`,
      resolveDir: '/',
      loader: 'js',
    },
  });
  return createHash('sha256')
    .update(BUNDLE_FORM)
    .update(outputFiles[0]?.contents ?? '')
    .digest('hex')
    .slice(0, 24);
}

function moduleFile(path: string): string {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return fileURLToPath(new URL(path + extension, import.meta.url));
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
