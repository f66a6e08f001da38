import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadProject } from '../../engine/project/load-project.js';
import { messagesOf, writeProject, type ProjectFiles } from '../support/project.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { blocksOf, examplePages, pages, placeOf, projectsOf, readPage, ROOT } from './page.js';
import { linkPackages } from './running-project.js';
import { typeErrors } from './type-check.js';

/** Variables that the configurations of pages refer to. */
const ENVIRONMENT = {
  APPROVAL_SECRET: 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  OPENAI_API_KEY: 'key',
  SHOP_DATABASE: 'postgres://127.0.0.1/shop',
  WEBHOOK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
};

/** Files that a project loads; others are the reader's own. */
const DEFINITIONS =
  /^(?:operations|pipelines|workflows|activities|flows|connectors|records|handlers|tasks|subscribers)\/|^millrace\.config\.ts$|^config\.yml$/;

const temporary = useTemporaryDirectory();

/** The quickstart, with which the pages go on. */
function quickstart(): ProjectFiles {
  const dir = join(ROOT, 'examples/quickstart');
  const files = ['operations', 'pipelines'].flatMap((folder) =>
    readdirSync(join(dir, folder)).map((name) => `${folder}/${name}`),
  );
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(dir, file), 'utf8')]));
}

describe('the documentation', () => {
  it('has code that compiles', () => {
    const files = new Map<string, string>();
    for (const page of pages()) {
      for (const [project, own] of projectsOf(page)) {
        for (const [file, text] of Object.entries({ ...quickstart(), ...own })) {
          if (file.endsWith('.ts')) files.set(`${page}/${project}/${file}`, text);
        }
      }
      for (const { language, marks, line, code } of blocksOf(page)) {
        if (language === 'ts' && marks['file'] === undefined)
          files.set(`${page}/block-${String(line)}.ts`, code);
      }
    }
    expect(typeErrors(files)).toEqual([]);
  }, 120_000);

  const projects = pages().flatMap((page) =>
    [...projectsOf(page)].map(([name, files]) => [page, name, files] as const),
  );

  it.each(projects)('has a project that loads: %s %s', async (_page, _name, own) => {
    const definitions = Object.entries(own).filter(([file]) => DEFINITIONS.test(file));
    const dir = await writeProject(temporary.path, {
      ...quickstart(),
      ...Object.fromEntries(definitions),
    });
    linkPackages(dir);
    expect(messagesOf(await loadProject(dir, { env: ENVIRONMENT }))).toEqual([]);
  });

  const alone = pages().flatMap((page) => {
    const models = blocksOf(page).find(({ language }) => language === 'yml')?.code ?? '';
    const pipelines = blocksOf(page).filter(
      ({ language, marks }) => language === 'yaml' && marks['file'] === undefined,
    );
    return pipelines.map((block) => [placeOf(block), block.code, models] as const);
  });

  it.each(alone)('has a pipeline that loads: %s', async (_place, pipeline, models) => {
    const dir = await writeProject(temporary.path, {
      'pipelines/p.yml': pipeline,
      'config.yml': models || 'models: {}\n',
    });
    expect(messagesOf(await loadProject(dir, { env: ENVIRONMENT }))).toEqual([]);
  });

  it.each([...pages(), ...examplePages()])(
    'closes every block that it opens, at the start of a line: %s',
    (page) => {
      const fences = readPage(page).match(/^[ \t]*```/gm) ?? [];
      expect(fences).toHaveLength(2 * blocksOf(page).length);
    },
  );
});
