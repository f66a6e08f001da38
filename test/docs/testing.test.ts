import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { findTemporalCli } from '../../engine/dev-server/temporal-cli.js';
import { WORD_REPORT, writeProject } from '../support/project.js';
import { useTemporal } from '../support/temporal.js';
import { linkRunner, runTests } from '../support/test-runners.js';
import { runNodeTests } from './node-tests.js';
import { projectOf, ROOT } from './page.js';
import { useRunningPage } from './running-page.js';
import { linkPackages } from './running-project.js';

const PAGE = 'docs/testing.md';
const temporal = useTemporal();

const COUNT_WORDS = readFileSync(
  join(ROOT, 'examples/quickstart/operations/count-words.ts'),
  'utf8',
);

/** The part of the quickstart that the page tests. */
const REPORT = {
  'operations/count-words.ts': COUNT_WORDS,
  'pipelines/word-report.yml': WORD_REPORT,
};

describe(PAGE, () => {
  const dirs: string[] = [];

  afterAll(() => {
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
  });

  /** The part of the quickstart that the page tests, with the page's files. */
  async function project(name?: string): Promise<string> {
    const dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-docs-')));
    dirs.push(dir);
    await writeProject(dir, {
      'package.json': '{ "type": "module" }',
      ...REPORT,
      ...projectOf(PAGE, name),
    });
    linkPackages(dir);
    return dir;
  }

  describe('in a project that runs', () => {
    useRunningPage(temporal, PAGE, {
      files: { ...REPORT, ...projectOf(PAGE, 'replay') },
      env: async () => ({
        PATH: [dirname((await findTemporalCli()).path), process.env['PATH']].join(':'),
      }),
    });
  });

  it('has tests for node:test that pass', async () => {
    const dir = await project();
    const stdout = await runNodeTests(dir, {
      env: { TEMPORAL_ADDRESS: temporal.address },
      timeoutMs: 170_000,
    });
    expect(stdout).toMatch(/^# fail 0$/m);
    expect(stdout).toMatch(
      new RegExp(`^# pass ${String(countOf(readdirSync(join(dir, 'test')), dir))}$`, 'm'),
    );
  }, 180_000);

  it('has a jest configuration with one server, with which its tests pass', async () => {
    const dir = await project('jest');
    linkRunner('jest', dir);
    expect(await runTests('jest', { dir, timeoutMs: 100_000 })).toBe(2);
  }, 110_000);
});

/** How many tests the files declare. */
function countOf(files: readonly string[], dir: string): number {
  return files
    .map((file) => readFileSync(join(dir, 'test', file), 'utf8').match(/^test\(/gm)?.length ?? 0)
    .reduce((sum, count) => sum + count, 0);
}
