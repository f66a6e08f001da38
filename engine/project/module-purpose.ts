import { readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { transform, type Loader } from 'esbuild';
import { isAnyDefinition } from '../../src/definition/brand.js';
import type { Problem } from '../../src/definition/problem.js';
import { isPlainFunction } from './exported-activities.js';
import type { LoadedModule } from './module-evaluation.js';
import { contractFiles, FOLDERS } from './project-files.js';
import type { ProjectModules } from './project-modules.js';
import { shownPath } from './site.js';

/**
 * Warns of modules in the folders of definitions that define nothing, since their `export` was probably forgotten. What
 * other files import is there for them, and what holds nothing but types says nothing that could be exported.
 *
 * @param alsoImported - files that workflow code is made of; absolute
 */
export async function modulesWithoutPurpose(
  { modules, registered, activityFiles, imported }: ProjectModules,
  alsoImported: readonly string[],
  dir: string,
): Promise<readonly Problem[]> {
  const registering = registered.flatMap(({ site }) => site?.file ?? []);
  const shared = new Set([...imported, ...alsoImported, ...registering]);
  const { workflows: _, activities: __, ...defining } = FOLDERS;
  const folders = Object.values(defining).map((name) => join(dir, name) + sep);
  const contracts = contractFiles(dir);
  const missing = ({ file, exports }: LoadedModule): string | undefined => {
    const values = Object.values(exports);
    if (values.some(isAnyDefinition)) return undefined;
    if (activityFiles.has(file)) return values.some(isPlainFunction) ? undefined : 'function';
    const defines = folders.some((folder) => file.startsWith(folder)) || contracts.includes(file);
    return defines ? 'definition' : undefined;
  };
  const found = await Promise.all(
    modules.map(async (module): Promise<readonly Problem[]> => {
      const what = shared.has(module.file) ? undefined : missing(module);
      if (what === undefined || !(await hasCode(module.file))) return [];
      const site = { file: shownPath(module.file, dir) };
      const message = `exports no ${what}. Did you forget \`export\`?`;
      return [{ site, message, severity: 'warning' }];
    }),
  );
  return found.flat();
}

/** Whether anything of a module is left when its types are gone. */
async function hasCode(file: string): Promise<boolean> {
  const loader: Loader = extname(file).endsWith('ts') ? 'ts' : 'js';
  const { code } = await transform(await readFile(file, 'utf8'), {
    loader,
    legalComments: 'none',
    logLevel: 'silent',
  });
  return code.replace('export {};', '').trim() !== '';
}
