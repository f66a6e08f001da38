import type { Activity } from '../../src/definition/activity.js';
import type { LoadedModule } from './module-evaluation.js';
import { shownPath } from './site.js';

/**
 * Every function that modules of `activities/` export, under the name of its export. Classes and values are not
 * activities. A function that two files export under one name counts once: one of them passes it on.
 *
 * @param files - the modules of `activities/`; absolute paths
 */
export function exportedActivities(
  modules: readonly LoadedModule[],
  files: ReadonlySet<string>,
  dir: string,
): readonly Activity[] {
  const found = new Map<unknown, Set<string>>();
  return modules
    .filter(({ file }) => files.has(file))
    .flatMap(({ file, exports }) =>
      Object.entries(exports).flatMap(([name, value]) => {
        if (!isPlainFunction(value)) return [];
        const names = found.get(value) ?? new Set<string>();
        if (names.has(name)) return [];
        found.set(value, names.add(name));
        return [{ name, site: { file: shownPath(file, dir) }, run: value }];
      }),
    );
}

/** An error class beside the activity that throws it is a function to JavaScript, but nothing to call. */
export function isPlainFunction(value: unknown): value is Activity['run'] {
  return typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value));
}
