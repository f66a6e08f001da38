import { spawn } from 'node:child_process';
import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { loadProject } from '../../../engine/project/load-project.js';
import { COUNT_WORDS, loadRightProject, messagesIn, writeProject } from '../../support/project.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const temporary = useTemporaryDirectory();
const messages = messagesIn(temporary);

/** An operation whose description is what an expression of its module gives. */
function describing(name: string, expression: string, imports = ''): string {
  return `import { defineOperation } from 'millrace';
${imports}
export const operation = defineOperation({ name: '${name}', description: String(${expression}), run: () => ({}) });
`;
}

async function descriptions(
  dir = temporary.path,
): Promise<Readonly<Record<string, string | undefined>>> {
  const { registry } = await loadRightProject(dir);
  return Object.fromEntries(
    [...registry.operations].map(([name, { description }]) => [name, description]),
  );
}

describe('a module', () => {
  it('finds itself where it was written, not where it was compiled to', async () => {
    await writeProject(temporary.path, {
      'operations/url.ts': describing('url', 'import.meta.url'),
      'operations/deep/dirname.ts': describing('dirname', 'import.meta.dirname'),
      'operations/filename.ts': describing('filename', 'import.meta.filename'),
      'operations/old-dirname.ts': describing('old-dirname', '__dirname'),
      'operations/old-filename.js': describing('old-filename', '__filename'),
      'operations/shared.ts': describing(
        'shared',
        'here',
        `import { here } from '../lib/here.js';`,
      ),
      'lib/here.ts': 'export const here = import.meta.dirname;',
    });
    const { dir } = await loadRightProject(temporary.path);
    expect(await descriptions()).toMatchObject({
      url: pathToFileURL(join(dir, 'operations/url.ts')).href,
      dirname: join(dir, 'operations/deep'),
      filename: join(dir, 'operations/filename.ts'),
      'old-dirname': join(dir, 'operations'),
      'old-filename': join(dir, 'operations/old-filename.js'),
      shared: join(dir, 'lib'),
    });
  });

  it('that several import exists once', async () => {
    await writeProject(temporary.path, {
      'lib/counter.ts': 'let n = 0;\nexport const next = (): number => ++n;\n',
      'operations/a.ts': describing('a', 'next()', `import { next } from '../lib/counter.js';`),
      'pipelines/b.ts': describing('b', 'next()', `import { next } from '../lib/counter.js';`),
    });
    const { a, b } = await descriptions();
    expect([a, b].sort()).toEqual(['1', '2']);
  });

  it('may await at its top and import while it runs', async () => {
    await writeProject(temporary.path, {
      'lib/lazy.ts': `export const lazy = 'came later';`,
      'operations/a.ts': describing('a', `(await import('../lib/lazy.js')).lazy`),
    });
    expect(await descriptions()).toMatchObject({ a: 'came later' });
  });

  it('may have a folder whose name holds blanks, brackets and percent signs', async () => {
    const dir = join(temporary.path, 'a project (50%25) é');
    await writeProject(dir, { 'operations/count words.ts': COUNT_WORDS });
    const { registry } = await loadRightProject(dir);
    expect(registry.operations.get('count-words')?.site).toEqual({
      file: 'operations/count words.ts',
      line: 4,
      column: 27,
    });
  });

  it('is found through a symbolic link to the project', async () => {
    await writeProject(join(temporary.path, 'real'), { 'operations/count-words.ts': COUNT_WORDS });
    await symlink(join(temporary.path, 'real'), join(temporary.path, 'link'));
    const { registry } = await loadRightProject(join(temporary.path, 'link'));
    expect(registry.operations.get('count-words')?.site?.file).toBe('operations/count-words.ts');
  });
});

describe('what keeps modules from being compiled', () => {
  it('is told all at once, with file, line and column', async () => {
    expect(
      await messages({
        'operations/a.ts': 'export const a = (;\n',
        'operations/b.ts': `import { nothing } from './missing.js';\nimport pad from 'left-padd';\nexport const b = [nothing, pad];\n`,
        'operations/c.ts': `export const here = import.meta.url; export { gone } from '../lib/gone.js';\n`,
        'pipelines/d.ts': `import { name } from '../lib/names.js';\nexport const d = name;\n`,
        'lib/names.ts': 'export const nmae = 1;\n',
      }),
    ).toEqual([
      'operations/a.ts:1:19  Unexpected ";".',
      'operations/b.ts:1:25  Could not resolve "./missing.js".',
      'operations/b.ts:2:17  There is no package "left-padd". Install it: npm install left-padd.',
      'operations/c.ts:1:59  Could not resolve "../lib/gone.js".',
    ]);
    expect(
      await messages({ 'operations/a.ts': '', 'operations/b.ts': '', 'operations/c.ts': '' }),
    ).toEqual(['pipelines/d.ts:1:10  No matching export in "lib/names.ts" for import "name".']);
  });

  it('does not hide what is wrong in YAML', async () => {
    expect(
      await messages({
        'operations/a.ts': 'export const a = (;\n',
        'pipelines/b.yml': 'name: b\n',
      }),
    ).toEqual([
      'operations/a.ts:1:19  Unexpected ";".',
      'pipelines/b.yml:1:1  has no stages. Add at least one: stages: [{ name, operations: [...] }].',
    ]);
  });
});

describe('a module that throws', () => {
  it('is told with the line of its source', async () => {
    expect(
      await messages({
        'operations/a.ts': `import '../lib/broken.js';\n`,
        'lib/broken.ts': `interface Erased {\n  readonly gone: string;\n}\nfunction fail(erased: Erased): never {\n  throw new TypeError(\`no \${erased.gone}\`);\n}\nfail({ gone: 'database' });\n`,
      }),
    ).toEqual(['lib/broken.ts:5:9  threw while it was loaded: TypeError: no database']);
  });

  it('is told by its name where it throws something without a place', async () => {
    expect(await messages({ 'operations/a.ts': `throw 'a text';\n` })).toEqual([
      'operations/a.ts  threw while it was loaded: a text',
    ]);
  });

  it('is told where it imports what a package does not have', async () => {
    const [message] = await messages({
      'operations/a.ts': `import { defineOpration } from 'millrace';\ndefineOpration();\n`,
    });
    expect(message).toMatch(
      /^operations\/a\.ts {2}threw while it was loaded: SyntaxError: .*'millrace'.*'defineOpration'/,
    );
  });
});

describe('packages', () => {
  it('of the project are used as they are installed', async () => {
    await writeProject(temporary.path, {
      'node_modules/greeting/package.json': JSON.stringify({
        name: 'greeting',
        type: 'module',
        exports: './index.js',
      }),
      'node_modules/greeting/index.js': `export const greeting = 'from the package';`,
      'operations/a.ts': describing('a', 'greeting', `import { greeting } from 'greeting';`),
    });
    expect(await descriptions()).toMatchObject({ a: 'from the package' });
  });

  it('may be files of the project by an alias of its tsconfig', async () => {
    await writeProject(temporary.path, {
      'tsconfig.json': JSON.stringify({ compilerOptions: { paths: { 'lib/*': ['./lib/*'] } } }),
      'lib/words.ts': `export const words = 'aliased';`,
      'operations/a.ts': describing('a', 'words', `import { words } from 'lib/words';`),
    });
    expect(await descriptions()).toMatchObject({ a: 'aliased' });
  });

  it('may be missing where they are imported while the code runs', async () => {
    await writeProject(temporary.path, {
      'operations/a.ts': describing(
        'a',
        `await import('not-installed').then(() => 'there', () => 'not there')`,
      ),
    });
    expect(await descriptions()).toMatchObject({ a: 'not there' });
  });

  it('that Node has itself need no installation', async () => {
    await writeProject(temporary.path, {
      'operations/a.ts': describing('a', `basename('/b/c')`, `import { basename } from 'path';`),
    });
    expect(await descriptions()).toMatchObject({ a: 'c' });
  });
});

describe('loading again', () => {
  it('sees what changed in a module that others import, and what is gone', async () => {
    await writeProject(temporary.path, {
      'lib/words.ts': `export const words = 'before';`,
      'operations/a.ts': describing('a', 'words', `import { words } from '../lib/words.js';`),
      'operations/b.ts': describing('b', '1'),
    });
    expect(await descriptions()).toMatchObject({ a: 'before', b: '1' });
    await writeProject(temporary.path, { 'lib/words.ts': `export const words = 'after';` });
    await rm(join(temporary.path, 'operations/b.ts'));
    const after = await descriptions();
    expect(after['a']).toBe('after');
    expect(after).not.toHaveProperty('b');
  });

  it('says which files to watch, also when it fails', async () => {
    const files = {
      'lib/words.ts': `export const words = 'text';`,
      'operations/a.ts': describing('a', 'words', `import { words } from '../lib/words.js';`),
    };
    await writeProject(temporary.path, files);
    const { watched, project } = await loadProject(temporary.path);
    const dir = project?.dir ?? '';
    expect(watched).toEqual(
      [
        ...[
          'operations',
          'pipelines',
          'workflows',
          'activities',
          'flows',
          'connectors',
          'records',
          'modules',
          'tasks',
          'handlers',
          'subscribers',
          'millrace.config.ts',
          'millrace.config.js',
          'millrace.config.mjs',
          'config/millrace',
          'config.yml',
        ],
        'lib/words.ts',
      ].map((path) => join(dir, path)),
    );
    await writeProject(temporary.path, { 'operations/b.ts': 'export const b = (;' });
    expect((await loadProject(temporary.path)).watched).toContain(join(dir, 'operations'));
  });

  it('keeps the last two compilations of a process, and removes those of processes that are gone', async () => {
    const builds = join(temporary.path, '.millrace/build');
    const gone = spawn(process.execPath, ['--eval', '']);
    await new Promise((resolve) => gone.on('exit', resolve));
    await mkdir(join(builds, `${String(gone.pid)}-01ABC`), { recursive: true });
    await mkdir(join(builds, `${String(process.ppid)}-01ABC`), { recursive: true });
    await writeProject(temporary.path, { 'operations/count-words.ts': COUNT_WORDS });
    for (let time = 0; time < 4; time += 1) await loadRightProject(temporary.path);
    const owners = (await readdir(builds))
      .map((name) => Number.parseInt(name, 10))
      .sort((a, b) => a - b);
    expect(owners).toEqual([process.pid, process.pid, process.ppid].sort((a, b) => a - b));
  });
});
