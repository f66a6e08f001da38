import { mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { formatProblem } from '../../src/definition/problem.js';
import { findTemplate } from '../../generator/generate.js';
import { projectPlugins } from '../../generator/plugin/project-plugins.js';
import { findPlugins, type FoundPlugins } from '../../generator/plugin/search.js';
import { writeProject } from '../support/project.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { ACME, below } from './plugins.js';

const temporary = useTemporaryDirectory();

const named = (name: string) => ({
  ...ACME,
  'millrace-plugin.toml': (ACME['millrace-plugin.toml'] ?? '').replace('"acme"', `"${name}"`),
});

describe('plugins', () => {
  it('are found among packages, also those of an organisation, and in folders above', async () => {
    const root = await writeProject(temporary.path, {
      ...below('node_modules/acme-templates', ACME),
      ...below('node_modules/@acme/more', named('more')),
      ...below('app/node_modules/inner', named('inner')),
      'node_modules/zod/package.json': '{}',
    });
    const { plugins, problems } = findPlugins(realpathSync(join(root, 'app')));
    expect(problems).toEqual([]);
    expect(plugins.map(({ name }) => name)).toEqual(['millrace', 'inner', 'acme', 'more']);
  });

  it('are found in the folders that the configuration names, alone or several in one', async () => {
    const dir = await writeProject(temporary.path, {
      ...below('tools/acme', ACME),
      ...below('tools/more', named('more')),
      ...below('own', named('own')),
      'config/millrace/base/common.toml': 'plugin_paths = ["own", "tools"]\n',
    });
    const { plugins, problems } = await projectPlugins(dir, {});
    expect(problems).toEqual([]);
    expect(plugins.map(({ name }) => name)).toEqual(['millrace', 'own', 'acme', 'more']);
  });

  it('that are wrong are told of, with file and line, and do not keep others from being used', async () => {
    const dir = await writeProject(temporary.path, {
      ...below('node_modules/right', ACME),
      ...below('node_modules/wrong', { 'millrace-plugin.toml': 'name = "wrong"\nversoin = "1"\n' }),
      ...below('node_modules/worse', { 'millrace-plugin.toml': 'name = \n' }),
    });
    const { plugins, problems } = findPlugins(realpathSync(dir));
    expect(plugins.map(({ name }) => name)).toEqual(['millrace', 'acme']);
    const told = problems.map(formatProblem);
    expect(told).toContain(
      'node_modules/wrong/millrace-plugin.toml:2:1  unknown key "versoin". Did you mean "version"?',
    );
    expect(told.join('\n')).toContain(
      'node_modules/worse/millrace-plugin.toml:2:1  not valid TOML',
    );
  });

  it('of one name are one and another that is left out', async () => {
    const dir = await writeProject(temporary.path, {
      ...below('node_modules/a', ACME),
      ...below('node_modules/b', ACME),
    });
    const { plugins, problems } = findPlugins(realpathSync(dir));
    expect(plugins).toHaveLength(2);
    expect(problems.map(formatProblem)).toEqual([
      'node_modules/b/millrace-plugin.toml  there is another plugin called "acme", in node_modules/a. This one is left out.',
    ]);
  });

  it('that are linked twice are one', async () => {
    const dir = await writeProject(temporary.path, below('packages/acme', ACME));
    mkdirSync(join(dir, 'node_modules'));
    symlinkSync(join(dir, 'packages/acme'), join(dir, 'node_modules/acme'));
    const { plugins, problems } = findPlugins(realpathSync(dir), ['packages/acme']);
    expect(problems).toEqual([]);
    expect(plugins).toHaveLength(2);
  });

  it('that the configuration names and that are not there are told of', async () => {
    const dir = await writeProject(temporary.path, { 'tools/readme.md': '' });
    expect(findPlugins(realpathSync(dir), ['tools']).problems.map(formatProblem)).toEqual([
      'pluginPaths: there is no plugin in tools: no millrace-plugin.toml in it, nor in a folder below it.',
    ]);
  });

  it('of packages are found though the configuration has mistakes', async () => {
    const dir = await writeProject(temporary.path, {
      ...below('node_modules/acme', ACME),
      'config/millrace/base/common.toml': 'plugin_path = ["own"]\n',
    });
    const { plugins, problems } = await projectPlugins(dir, {});
    expect(plugins).toHaveLength(2);
    expect(problems.map(formatProblem).join()).toContain('Did you mean "plugin_paths"?');
  });
});

describe('a template', () => {
  let found: FoundPlugins;
  beforeEach(async () => {
    const dir = await writeProject(temporary.path, {
      ...below('node_modules/acme', ACME),
      ...below('node_modules/more', named('more')),
    });
    found = findPlugins(realpathSync(dir));
  });

  it('is found by its name, where one plugin has it', () => {
    expect(findTemplate(found, 'operation').plugin.name).toBe('millrace');
  });

  it('that several plugins have is found in the one that is named', () => {
    expect(() => findTemplate(found, 'report')).toThrow(
      'The template "report" is offered by acme, more. Say whose: --plugin acme.',
    );
    expect(findTemplate(found, 'report', 'more').plugin.name).toBe('more');
  });

  it('that there is not is told of with the one that was probably meant', () => {
    expect(() => findTemplate(found, 'raport', 'acme')).toThrow(
      'There is no template "raport" in the plugin "acme". Did you mean "report"?',
    );
    expect(() => findTemplate(found, 'report', 'acmee')).toThrow(
      'There is no plugin "acmee". Did you mean "acme"?',
    );
  });
});
