import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

/** What is looked at of a package.json. */
export interface PackageFile {
  readonly name: string | undefined;
  /** The packages that it names. */
  readonly packages: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
}

const texts = z.record(z.string(), z.string()).catch({});

/** Whatever is wrong with it is none of our business. */
const schema = z
  .object({
    name: z.string().min(1).optional().catch(undefined),
    dependencies: texts,
    devDependencies: texts,
    scripts: texts,
  })
  .partial()
  .catch({});

/** The package.json of a folder; undefined where there is none. */
export function packageIn(dir: string): PackageFile | undefined {
  const file = join(dir, 'package.json');
  if (!existsSync(file)) return undefined;
  const {
    name,
    dependencies = {},
    devDependencies = {},
    scripts = {},
  } = schema.parse(parsed(readFileSync(file, 'utf8')));
  return { name, packages: Object.keys({ ...dependencies, ...devDependencies }), scripts };
}

/** The package.json that `npm` would find from a folder: its own, or that of one above it. */
export function nearestPackage(dir: string): PackageFile | undefined {
  for (let folder = dir; ; folder = dirname(folder)) {
    const found = packageIn(folder);
    if (found !== undefined || folder === dirname(folder)) return found;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
