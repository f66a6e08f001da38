import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { writeProject } from '../support/project.js';
import { blocksOf, placeOf, type Block } from './page.js';
import { linkPackages } from './running-project.js';
import { execute } from './shell.js';

const PAGE = 'docs/generators.md';

describe(PAGE, () => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-docs-')));
  linkPackages(dir);
  const env = { ...process.env, NO_COLOR: '1' };
  let printed = '';

  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  const follow = async ({ marks, code }: Block): Promise<void> => {
    if (marks['file'] !== undefined) await writeProject(dir, { [marks['file']]: code });
    else if (marks['run'] !== undefined) {
      const running = execute(code, { cwd: dir, env, url: '' });
      const fails = marks['fails'] !== undefined;
      printed = fails
        ? await running.then(
            () => 'it did not fail',
            (error: unknown) => (error as { readonly stdout: string }).stdout,
          )
        : await running;
    } else expect(printed).toBe(code);
  };

  const steps = blocksOf(PAGE).filter(
    ({ marks, language }) => language !== 'ts' || marks['file'] !== undefined,
  );

  it.each(steps.map((block) => [placeOf(block), block] as const))(
    '%s does what it says',
    async (_place, block) => follow(block),
    60_000,
  );
});
