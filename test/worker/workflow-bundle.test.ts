import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { testLogger } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { workflowBundle } from '../../worker/workflow-bundle.js';

const MINUTE_MS = 60_000;

const dir = useTemporaryDirectory();

/** Writes files whose last use is so many minutes ago. */
async function leave(
  names: readonly string[],
  minutesAgo: (index: number) => number,
): Promise<void> {
  for (const [index, name] of names.entries()) {
    const file = join(dir.path, name);
    await writeFile(file, '');
    const at = new Date(Date.now() - minutesAgo(index) * MINUTE_MS);
    await utimes(file, at, at);
  }
}

function bundleNames(from: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `workflows-${String(from + index)}.js`);
}

function bundle(): Promise<string> {
  return workflowBundle({ files: [], cacheDir: dir.path, logger: testLogger });
}

describe('the folder of workflow bundles', () => {
  it('keeps the twenty that were used last, with the new one, and nothing else of older ones', async () => {
    const old = bundleNames(100, 25);
    await leave(old, (index) => 120 + index);
    const remains = ['workflows-100.entry.mjs', 'workflows-124.entry.mjs', 'workflows-999.js.17'];
    await leave([...remains, 'notes.txt'], () => 500);

    const made = basename(await bundle());

    expect((await readdir(dir.path)).sort()).toEqual(
      [
        made,
        made.replace(/js$/, 'entry.mjs'),
        ...old.slice(0, 19),
        'workflows-100.entry.mjs',
        'notes.txt',
      ].sort(),
    );
  });

  it('may lie behind a symbolic link', async () => {
    const link = join(dir.path, 'link');
    await mkdir(join(dir.path, 'real'));
    await symlink(join(dir.path, 'real'), link);

    const made = await workflowBundle({ files: [], cacheDir: link, logger: testLogger });

    expect((await stat(made)).size).toBeGreaterThan(1_000);
  });

  it('keeps any number of bundles that another process may be about to read', async () => {
    const recent = bundleNames(100, 30);
    await leave(recent, () => 30);

    await bundle();

    expect(await readdir(dir.path)).toEqual(expect.arrayContaining([...recent]));
  });

  it('knows which bundle was used, also when it was there already', async () => {
    const file = await bundle();
    await leave([basename(file)], () => 500);

    expect(await bundle()).toBe(file);
    expect(Date.now() - (await stat(file)).mtimeMs).toBeLessThan(MINUTE_MS);
  });
});

describe('a bundle of several files', () => {
  it('has what each exports, and of two exports of one name the first', async () => {
    const files = await Promise.all(
      ['first', 'second'].map(async (name) => {
        const file = join(dir.path, `${name}.ts`);
        await writeFile(
          file,
          `export const shared = '${name}';\nexport async function ${name}(): Promise<string> { return shared; }\n`,
        );
        return file;
      }),
    );

    const made = await workflowBundle({ files, cacheDir: dir.path, logger: testLogger });

    const entry = await readFile(made.replace(/js$/, 'entry.mjs'), 'utf8');
    expect(entry).toContain(`export { first, shared } from ${JSON.stringify(files[0])};`);
    expect(entry).toContain(`export { second } from ${JSON.stringify(files[1])};`);
  });
});
