import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { loadProject } from '../../engine/project/load-project.js';
import { prepareCatalog } from '../../generator/install/catalog.js';
import { applyInstall, planInstall, type InstallOptions } from '../../generator/install/install.js';
import { PROJECT_PACKAGES } from '../../generator/install/packages.js';
import { VERSION } from '../../src/version.js';
import { messagesOf, writeProject } from '../support/project.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const temporary = useTemporaryDirectory();

const ROOT = join(import.meta.dirname, '../..');
const SERVER_TOML = 'config/millrace/base/server.toml';
const log = pino({ level: 'silent' });

/** Sets a project up. @returns what became of each file */
async function install(options: InstallOptions & { readonly force?: boolean } = {}) {
  const plan = await planInstall(temporary.path, options);
  await applyInstall(plan, options);
  return {
    ...plan,
    kinds: Object.fromEntries(plan.changes.map(({ path, kind }) => [path, kind])),
  };
}

const read = (path: string): string => readFileSync(join(temporary.path, path), 'utf8');

interface Manifest {
  readonly name?: string;
  readonly type?: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
const manifest = (): Manifest => JSON.parse(read('package.json')) as Manifest;

describe('setting up a project', () => {
  it('makes an empty folder one that loads, and serves its example', async () => {
    const { kinds } = await install();
    expect(new Set(Object.values(kinds))).toEqual(new Set(['create']));
    const { project, problems } = await loadProject(temporary.path, { env: {} });
    expect(messagesOf({ problems })).toEqual([]);
    expect([...(project?.registry.definitions.keys() ?? [])]).toEqual(['article']);
    expect(project?.config).toMatchObject({
      catchAllRoutes: false,
      routes: [{ pipeline: 'article', path: '/pipelines/article', stream: true, async: false }],
    });
    expect(manifest()).toMatchObject({
      type: 'module',
      scripts: {
        dev: 'millrace dev',
        check: 'millrace check && tsc',
        test: 'tsx --test test/*.test.ts',
      },
    });
  });

  it('turns on all routes, also the asynchronous ones, where it is told to', async () => {
    await install({ async: true });
    const { project, problems } = await loadProject(temporary.path, { env: {} });
    expect(messagesOf({ problems })).toEqual([]);
    expect(project?.config).toMatchObject({ catchAllRoutes: true, routes: [] });
  });

  it('turns them on later, too, and leaves them on where nothing is said of them', async () => {
    await install();
    const later = await install({ async: true });
    expect(later.kinds[SERVER_TOML]).toBe('amend');
    expect(later.notes).toEqual([]);
    const { project } = await loadProject(temporary.path, { env: {} });
    expect(project?.config.catchAllRoutes).toBe(true);
    expect((await install()).kinds[SERVER_TOML]).toBe('same');
  });

  it('says how to turn them on where the file for that was changed, and keeps it', async () => {
    await install();
    const own = read(SERVER_TOML).replace('#expose_pipes', 'expose_pipes');
    await writeProject(temporary.path, { [SERVER_TOML]: own });
    const { kinds, notes } = await install({ async: true });
    expect(kinds[SERVER_TOML]).toBe('differs');
    expect(notes).toEqual([expect.stringContaining('write catch_all_routes = true there')]);
    expect(read(SERVER_TOML)).toBe(own);
    await writeProject(temporary.path, { [SERVER_TOML]: `catch_all_routes = true\n` });
    expect((await install({ async: true })).notes).toEqual([]);
  });

  it('has nothing to do the second time', async () => {
    await install();
    const { kinds } = await install();
    expect(new Set(Object.values(kinds))).toEqual(new Set(['same']));
  });

  it('keeps what was changed, and shows it, until it is told to write over it', async () => {
    await install();
    await writeProject(temporary.path, {
      'config.yml': 'models: {}\n',
      'tsconfig.json': '{ "compilerOptions": { "strict": false } }\n',
    });
    const { kinds } = await install();
    expect(kinds['config.yml']).toBe('differs');
    expect(read('config.yml')).toBe('models: {}\n');
    await install({ force: true });
    expect(read('config.yml')).toContain('# The language models');
    expect(read('tsconfig.json')).toContain('"strict": false');
  });

  it('adds to a package.json what it lacks, and changes nothing that it has', async () => {
    const before = `{
    "name": "shop",
    "type": "module",
    "scripts": { "dev": "vite", "test": "mocha" },
    "dependencies": { "zod": "4.0.0" }
}
`;
    await writeProject(temporary.path, { 'package.json': before, 'index.ts': '' });
    const { kinds } = await install();
    expect(kinds['package.json']).toBe('amend');
    expect(manifest()).toMatchObject({
      name: 'shop',
      scripts: {
        dev: 'vite',
        test: 'mocha',
        'millrace:dev': 'millrace dev',
        worker: 'millrace worker',
      },
      dependencies: { zod: '4.0.0', millrace: `^${VERSION}` },
    });
    expect(Object.keys(manifest().scripts)).not.toContain('millrace:test');
    expect(read('package.json')).toContain('\n    "name": "shop"');
    expect((await install()).kinds['package.json']).toBe('same');
  });

  it('makes ES modules of what `npm init` has begun', async () => {
    await writeProject(temporary.path, {
      'package.json': `{
  "name": "begun",
  "type": "commonjs",
  "main": "index.js",
  "scripts": { "test": "echo \\"Error: no test specified\\" && exit 1" }
}`,
    });
    const { notes } = await install();
    expect(notes).toEqual([]);
    expect(manifest()).toMatchObject({
      type: 'module',
      scripts: { test: 'tsx --test test/*.test.ts' },
    });
  });

  it('leaves CommonJS alone where there is code, and says what is to do', async () => {
    await writeProject(temporary.path, { 'package.json': '{}', 'index.js': 'require("fs");\n' });
    const { notes } = await install();
    expect(manifest().type).toBeUndefined();
    expect(notes.join()).toContain('does not say "type": "module"');
  });

  it('refuses a package.json that is none', async () => {
    await writeProject(temporary.path, { 'package.json': '{ "name": ' });
    await expect(install()).rejects.toThrow('package.json  it is no JSON object. Mend it first.');
    expect(existsSync(join(temporary.path, 'config.yml'))).toBe(false);
  });

  it.each([
    ['jest', '{ "devDependencies": { "jest": "30" } }', "from '@jest/globals'"],
    ['vitest', '{ "devDependencies": { "vitest": "4" } }', "from 'vitest'"],
    ['vitest', '{ "dependencies": { "vitest": "4", "jest": "30" } }', "from 'vitest'"],
    [
      'jest',
      '{ "scripts": { "test": "jest" }, "devDependencies": { "vitest": "4", "jest": "30" } }',
      "from '@jest/globals'",
    ],
    ['node:test', '{ "devDependencies": { "mocha": "11" } }', "from 'node:test'"],
  ])('writes tests for %s where the project has it: %s', async (_runner, text, imported) => {
    await writeProject(temporary.path, { 'package.json': text });
    await install();
    expect(read('test/article.test.ts')).toContain(imported);
    const { devDependencies } = manifest();
    expect('tsx' in devDependencies).toBe(imported === "from 'node:test'");
  });

  it('keeps the lines of a .gitignore', async () => {
    await writeProject(temporary.path, { '.gitignore': 'dist\nnode_modules' });
    await install();
    expect(read('.gitignore')).toBe('dist\nnode_modules\n.millrace/\n');
  });

  it('brings no example to a project that has definitions, and none back that was removed', async () => {
    await writeProject(temporary.path, {
      'pipelines/own.yml': 'name: own\nstages: [{ name: log, operations: [log] }]\n',
      'millrace.config.mjs':
        "import { defineConfig } from 'millrace';\nexport default defineConfig({});\n",
    });
    const { kinds } = await install();
    expect(Object.keys(kinds)).not.toContain('pipelines/article.yml');
    expect(Object.keys(kinds)).not.toContain('millrace.config.ts');
    expect(messagesOf(await loadProject(temporary.path, { env: {} }))).toEqual([]);
  });

  it('makes the catalog, and says why where it cannot', async () => {
    await install();
    expect(await prepareCatalog(temporary.path, {}, log)).toBeUndefined();
    expect(existsSync(join(temporary.path, '.millrace/catalog.db'))).toBe(true);
    expect(await prepareCatalog(temporary.path, {}, log)).toBeUndefined();
    const away = { DATABASE_URL: 'postgres://127.0.0.1:1/none' };
    expect(await prepareCatalog(temporary.path, away, log)).toContain('127.0.0.1:1');
    await writeProject(temporary.path, { 'config/millrace/base/common.toml': 'debgu = true\n' });
    expect(await prepareCatalog(temporary.path, {}, log)).toContain('millrace check');
  });

  it('asks for the versions that this package was tested with', async () => {
    const own = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Manifest;
    const { tsx: _, ...rest } = PROJECT_PACKAGES.devDependencies;
    const { millrace, zod } = PROJECT_PACKAGES.dependencies;
    expect(millrace).toBe(`^${VERSION}`);
    expect({ ...own.dependencies, ...own.devDependencies }).toMatchObject({ ...rest, zod });
  });
});

describe('the Koa app of a project', () => {
  const KOA = '{ "type": "module", "dependencies": { "koa": "3" } }';
  const APP = `import Koa from 'koa';
import { log } from './log.js';

const app = new Koa();
app.use(log);
app.listen(3000);
`;

  it('gets the routes, before all other middleware, and once only', async () => {
    await writeProject(temporary.path, { 'package.json': KOA, 'src/app.ts': APP });
    const { kinds, notes } = await install({ async: true });
    expect(notes).toEqual([]);
    expect(kinds).toMatchObject({ 'src/app.ts': 'amend', 'src/millrace-router.ts': 'create' });
    expect(read('src/app.ts')).toBe(`import Koa from 'koa';
import { millraceRoutes } from './millrace-router.js';
import { log } from './log.js';

const app = new Koa();
app.use(millraceRoutes);
app.use(log);
app.listen(3000);
`);
    expect(read('src/millrace-router.ts')).toContain('async: true,');
    expect((await install({ async: true })).kinds).not.toHaveProperty('src/app.ts');
  });

  it('gets the asynchronous routes later, too', async () => {
    await writeProject(temporary.path, { 'package.json': KOA, 'src/app.ts': APP });
    await install();
    expect(read('src/millrace-router.ts')).toContain('async: false,');
    const { kinds } = await install({ async: true });
    expect(kinds['src/millrace-router.ts']).toBe('amend');
    expect(read('src/millrace-router.ts')).toContain('async: true,');
    expect((await install()).kinds).not.toHaveProperty('src/millrace-router.ts');
  });

  it.each([
    ['app.js', APP, './millrace-router.js', 'millrace-router.js'],
    ['app.mjs', APP, './millrace-router.mjs', 'millrace-router.mjs'],
    ['app.ts', APP.replace('log.js', 'log.ts'), './millrace-router.ts', 'millrace-router.ts'],
  ])('is %s, and imports the router as it does others', async (file, app, specifier, router) => {
    await writeProject(temporary.path, { 'package.json': KOA, [file]: app });
    expect((await install()).kinds[router]).toBe('create');
    expect(read(file)).toContain(`from '${specifier}'`);
  });

  it.each([
    ['two files with an app', { 'app.ts': APP, 'other.ts': APP }],
    ['an app that a function makes', { 'app.ts': APP.replace('const app', '  const app') }],
    ['no app at all', {}],
    ['CommonJS', { 'package.json': '{ "dependencies": { "koa": "3" } }', 'app.js': APP }],
  ])('is left alone where there is %s, and it is said what to do', async (_what, files) => {
    await writeProject(temporary.path, { 'package.json': KOA, ...files });
    const { kinds, notes } = await install();
    expect(notes.join()).toContain('Mount the routes yourself');
    expect(Object.keys(kinds).filter((path) => /app|router/.test(path))).toEqual([]);
  });
});
