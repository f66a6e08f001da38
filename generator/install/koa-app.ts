import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { isDirectory } from '../../engine/project/project-files.js';
import type { GeneratedFile } from '../project/changes.js';

/** Where an app is looked for: the project's folder, and these in it. */
const FOLDERS = ['', 'src', 'app', 'server'] as const;

const SOURCE = /\.[cm]?[jt]s$/;
const NO_APP = /\.(?:d|test|spec)\.[cm]?[jt]s$|\.config\.[cm]?[jt]s$/;

/** `const app = new Koa();`, at the beginning of a line. */
const APP = /^(?:export )?const (\w+)(?:: Koa)? = new Koa(?:<[^\n]*>)?\([^\n]*\);?$/gm;
const KOA = /^import Koa\b[^\n]* from ['"]koa['"];?$/m;

/** What to do about the Koa app of a project. */
export interface KoaMount {
  readonly files: readonly GeneratedFile[];
  /** What a person has to do where the app is not one that can be amended. */
  readonly note?: string;
}

/**
 * Mounts the router of the pipelines into the Koa app of a project: a module with the router, and two lines in the app. There has to
 * be one file that makes one app, as an ES module; else it is said how to do it.
 *
 * @param dir - the project's folder
 */
export function mountInKoaApp(
  dir: string,
  { isModule, async }: { readonly isModule: boolean; readonly async: boolean },
): KoaMount {
  const apps = FOLDERS.flatMap((folder) => sourcesIn(dir, folder)).filter(({ text }) =>
    /\bnew Koa\b/.test(text),
  );
  const mounted = apps.some(({ text }) =>
    /from ['"](?:millrace['"/]|\.\/millrace-router)/.test(text),
  );
  if (mounted) return { files: async ? turnedOn(dir) : [] };
  const [app, another] = apps;
  const made = app === undefined ? [] : [...app.text.matchAll(APP)];
  const [match] = made;
  const name = match?.[1];
  if (
    app === undefined ||
    another !== undefined ||
    match === undefined ||
    name === undefined ||
    made.length > 1 ||
    !isModule ||
    !KOA.test(app.text)
  )
    return { files: [], note: BY_HAND };
  const extension = extname(app.path);
  const router = join(app.folder, `millrace-router${extension}`).replaceAll('\\', '/');
  const specifier = specifierOf(app.text, extension);
  const text = app.text
    .replace(match[0], `${match[0]}\n${name}.use(millraceRoutes);`)
    .replace(KOA, (line) => `${line}\nimport { millraceRoutes } from '${specifier}';`);
  return {
    files: [
      { path: router, text: routerModule(async) },
      { path: app.path, text, amends: true },
    ],
  };
}

/** The router's module, where it was mounted without routes for asynchronous runs and is as it was made. */
function turnedOn(dir: string): readonly GeneratedFile[] {
  return FOLDERS.flatMap((folder) => sourcesIn(dir, folder))
    .filter(({ text }) => text === routerModule(false))
    .map(({ path }) => ({ path, text: routerModule(true), amends: true }));
}

const BY_HAND =
  'The project has Koa, but no file with one `const app = new Koa()` that could be amended. Mount the routes yourself: docs/embedding.md of the package tells how.';

interface Source {
  readonly folder: string;
  readonly path: string;
  readonly text: string;
}

function sourcesIn(dir: string, folder: string): readonly Source[] {
  const path = join(dir, folder);
  if (!isDirectory(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isFile() && SOURCE.test(entry.name) && !NO_APP.test(entry.name))
    .map(({ name }) => ({
      folder,
      path: folder === '' ? name : `${folder}/${name}`,
      text: readFileSync(join(path, name), 'utf8'),
    }));
}

/** Imports of one's own files end as the app's others do: in `.js` for TypeScript, unless the app says `.ts`. */
function specifierOf(app: string, extension: string): string {
  const written = /from ['"]\.[^'"]*\.ts['"]/.test(app) ? extension : extension.replace('ts', 'js');
  return `./millrace-router${written}`;
}

function routerModule(async: boolean): string {
  return `import { createEngine, createRouter } from 'millrace';

/** Starts runs and watches them; workers execute them: npx millrace worker or, while you develop, npx millrace dev. */
const engine = await createEngine();

/** The routes of all pipelines. They read bodies themselves: mount them before any body parser. */
export const millraceRoutes = createRouter(engine, {
  path: '/pipelines',
  stream: true,
  async: ${String(async)},
  // Says who asks, or false for nobody: let your app tell. As it is, nobody may in production.
  apiAuthentication: () => process.env['NODE_ENV'] !== 'production' && 'developer',
}).routes();
`;
}
