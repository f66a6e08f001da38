import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { BUILT_IN_SINKS, BUILT_IN_SOURCES } from '../../adapters/connector/catalog.js';
import { writeProject } from '../support/project.js';
import { runNodeTests } from './node-tests.js';
import { projectOf, readPage, ROOT } from './page.js';
import { linkPackages } from './running-project.js';

const PAGE = 'docs/connectors.md';

/** The part of the page about one connector. */
function section(heading: string): string {
  const [, text = ''] = readPage(PAGE).split(`\n## ${heading}\n`);
  return text.split('\n## ')[0] ?? '';
}

/** The first columns of the tables that begin with a heading. */
function rows(text: string, heading: string): readonly string[] {
  const [, table = ''] = text.split(new RegExp(`^\\| ${heading} +\\|.*$`, 'm'));
  const [body = ''] = table.split('\n\n');
  return [...body.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, name = '']) => name);
}

describe(PAGE, () => {
  const dirs: string[] = [];
  afterAll(() => {
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
  });

  const sections = [
    ...BUILT_IN_SOURCES.map(
      (connector) => [`${connector.connectorName}Source`, connector] as const,
    ),
    ...BUILT_IN_SINKS.map((connector) => [`${connector.connectorName}Sink`, connector] as const),
  ];

  it.each(sections)('tells of every option of %s, and of no other', (heading, { options }) => {
    expect([...rows(section(heading), 'option')].sort()).toEqual(Object.keys(options.shape).sort());
  });

  it('tells of every type of error that connectors end with', () => {
    const code = ['adapters/connector', 'adapters/http']
      .map((folder) => join(ROOT, folder))
      .flatMap((folder) =>
        readdirSync(folder, { recursive: true, encoding: 'utf8' })
          .filter((file) => file.endsWith('.ts'))
          .map((file) => readFileSync(join(folder, file), 'utf8')),
      )
      .join('\n');
    const thrown = [
      ...code.matchAll(/^ {4,}'([A-Z]\w+)',$|permanent\([^;]*?, '([A-Z]\w+)'\)/gm),
      ...code.matchAll(/(\b)override readonly name = '(\w+)'/g),
    ].map(([, a = '', b = '']) => a || b);
    expect(thrown.length).toBeGreaterThan(20);
    const told = sections.flatMap(([heading]) => rows(section(heading), 'error'));
    expect([...new Set(told)].sort()).toEqual([...new Set([...thrown, 'FenceLost'])].sort());
  });

  it('has connectors that pass the checks', async () => {
    const dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-docs-')));
    dirs.push(dir);
    await writeProject(dir, { 'package.json': '{ "type": "module" }', ...projectOf(PAGE) });
    linkPackages(dir);
    const stdout = await runNodeTests(dir, { timeoutMs: 60_000 });
    expect(stdout).toMatch(/^# fail 0$/m);
    const [, passed = '0'] = /^# pass (\d+)$/m.exec(stdout) ?? [];
    expect(Number(passed)).toBeGreaterThan(20);
  }, 60_000);
});
