import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { siteOfFrame } from '../../src/definition/call-site.js';
import type { Problem, Site } from '../../src/definition/problem.js';
import type { ModuleBundle } from './module-bundle.js';
import { PROVIDED } from './package-imports.js';
import { shownPath, shownSite } from './site.js';

/** Longest time that all modules of a project together may take to be evaluated. */
const MAX_EVALUATION_MS = 60_000;

/** One module's exports. */
export interface LoadedModule {
  /** Absolute path of the source. */
  readonly file: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

/** Runs compiled modules and returns their exports. A module that throws becomes a problem with its place. */
export async function evaluateModules(
  dir: string,
  files: readonly string[],
  bundle: ModuleBundle,
): Promise<{ readonly modules: readonly LoadedModule[]; readonly problems: readonly Problem[] }> {
  // Places in stacks are those of the sources from now on, here and in everything that operations throw.
  process.setSourceMapsEnabled(true);
  const deadline = Date.now() + MAX_EVALUATION_MS;
  const modules: LoadedModule[] = [];
  const failures = new Map<unknown, Problem>();
  for (const file of files) {
    try {
      modules.push({ file, exports: await evaluate(bundle.compiled.get(file) ?? file, deadline) });
    } catch (error) {
      // What two modules share fails once, with the same error for both.
      if (!failures.has(error)) failures.set(error, failureOf(error, file, dir));
      if (error instanceof EvaluationTimeout) break;
    }
  }
  return { modules, problems: [...failures.values()] };
}

async function evaluate(
  compiled: string,
  deadline: number,
): Promise<Readonly<Record<string, unknown>>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new EvaluationTimeout()), Math.max(0, deadline - Date.now()));
  });
  try {
    // A module's exports are an object with the names that it exports.
    return await Promise.race([
      import(pathToFileURL(compiled).href) as Promise<Readonly<Record<string, unknown>>>,
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

class EvaluationTimeout extends Error {
  override readonly name = 'EvaluationTimeout';
  constructor() {
    super(
      `the project's modules did not finish within ${String(MAX_EVALUATION_MS / 1000)} s (maxEvaluation). Is there an await at the top of one that waits for ever?`,
    );
  }
}

function failureOf(error: unknown, file: string, dir: string): Problem {
  const site =
    error instanceof Error && !(error instanceof EvaluationTimeout)
      ? thrownAt(error, dir)
      : undefined;
  const what =
    error instanceof Error ? `${error.name}: ${withPackageNames(error.message)}` : String(error);
  const message =
    error instanceof EvaluationTimeout ? error.message : `threw while it was loaded: ${what}`;
  return { site: site ?? { file: shownPath(file, dir) }, message };
}

/** Packages that this installation provides are imported by their address, which nobody wrote. */
function withPackageNames(message: string): string {
  return PROVIDED.reduce((text, name) => text.replaceAll(import.meta.resolve(name), name), message);
}

/** The first place in a stack that is in the project's own files. */
function thrownAt(error: Error, dir: string): Site | undefined {
  return (error.stack ?? '')
    .split('\n')
    .map(siteOfFrame)
    .filter((site) => site !== undefined)
    .map((site) => shownSite(site, dir))
    .find(({ file }) => isOwnFile(file));
}

function isOwnFile(shown: string): boolean {
  const parts = shown.split('/');
  return !isAbsolute(shown) && !parts.includes('node_modules') && !parts.includes('.millrace');
}
