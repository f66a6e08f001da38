import { readFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Loader, Plugin } from 'esbuild';

const NAMES = {
  url: '__millrace_url',
  dirname: '__millrace_dirname',
  filename: '__millrace_filename',
} as const;

/** What modules write for their own place, and the constants that stand for it in the bundle. */
export const OWN_LOCATION_DEFINES: Readonly<Record<string, string>> = {
  'import.meta.url': NAMES.url,
  'import.meta.dirname': NAMES.dirname,
  'import.meta.filename': NAMES.filename,
  __dirname: NAMES.dirname,
  __filename: NAMES.filename,
};

const LOADERS: Readonly<Record<string, Loader>> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
};

/**
 * Keeps `import.meta.url`, `import.meta.dirname`, `import.meta.filename`, `__dirname` and `__filename` what they were
 * before bundling: those of the file that says so. The constants go on its first line, so that lines stay what they are;
 * columns of that line move, by what `shifts` tells of the file.
 */
export function ownLocation(shifts: Map<string, number>): Plugin {
  return {
    name: 'millrace:own-location',
    setup(build) {
      build.onLoad({ filter: /\.[cm]?[jt]s$/, namespace: 'file' }, async ({ path }) => {
        const text = await readFile(path, 'utf8');
        if (!/import\.meta|__dirname|__filename/.test(text) || text.startsWith('#!'))
          return undefined;
        const constants = constantsOf(path);
        shifts.set(path, constants.length);
        return { contents: constants + text, loader: LOADERS[extname(path)] ?? 'js' };
      });
    },
  };
}

function constantsOf(path: string): string {
  const values = {
    [NAMES.url]: pathToFileURL(path).href,
    [NAMES.dirname]: dirname(path),
    [NAMES.filename]: path,
  };
  const declarations = Object.entries(values).map(
    ([name, value]) => `const ${name}=${JSON.stringify(value)};`,
  );
  return declarations.join('');
}
