import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { findTemplate, generate } from '../../generator/generate.js';
import { templateOf } from '../../generator/kinds.js';
import { loadPlugin, type PluginTemplate } from '../../generator/plugin/plugin.js';
import { findPlugins } from '../../generator/plugin/search.js';
import { writeProject, type ProjectFiles } from '../support/project.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { ACME, below } from './plugins.js';

const temporary = useTemporaryDirectory();

describe('generating', () => {
  let dir = '';

  beforeEach(() => {
    dir = join(temporary.path, 'project');
    mkdirSync(dir);
  });

  /** The template of Acme, with other texts for some of its files. */
  async function acme(other: ProjectFiles = {}): Promise<PluginTemplate> {
    const files = below('acme', { ...ACME, ...other });
    const { plugin } = loadPlugin(join(await writeProject(temporary.path, files), 'acme'), dir);
    const [template] = plugin?.templates ?? [];
    if (template === undefined) throw new Error('the plugin was refused');
    return template;
  }

  const outputs = (filename: string, subdir: string): ProjectFiles => ({
    'report/template.toml': `name = "report"
description = "A report."
[[parameters]]
name = "name"
description = "a name"
[[parameters]]
name = "format"
description = "anything"
[[outputs]]
template = "report.txt.liquid"
filename = '${filename}'
subdir = '${subdir}'
`,
  });

  it('fills in names in all cases, in files and in their paths', async () => {
    await writeProject(dir, { 'package.json': '{ "name": "shop" }' });
    const { changes, written } = await generate({
      dir,
      template: await acme(),
      values: { name: 'monthlySales' },
    });
    expect(written).toBe(true);
    expect(changes).toMatchObject([
      { kind: 'create', path: 'reports/monthly_sales/monthly-sales.csv' },
    ]);
    expect(readFileSync(join(dir, 'reports/monthly_sales/monthly-sales.csv'), 'utf8')).toBe(
      'MonthlySales monthlySales of shop\n',
    );
  });

  it('is the same however a name is written', async () => {
    const template = await acme();
    const paths = await Promise.all(
      ['HTTPReport', 'http-report', 'http_report', 'httpReport'].map(async (name) => {
        const { changes } = await generate({ dir, template, values: { name }, dryRun: true });
        return changes.map(({ path }) => path);
      }),
    );
    expect(new Set(paths.flat())).toEqual(new Set(['reports/http_report/http-report.csv']));
  });

  it('writes nothing in a dry run', async () => {
    const values = { name: 'a' };
    const { changes, written } = await generate({
      dir,
      template: await acme(),
      values,
      dryRun: true,
    });
    expect([changes.length, written, readdirSync(dir)]).toEqual([1, false, []]);
  });

  it('does the same twice, and writes over what differs only when it is told to', async () => {
    const request = { dir, template: await acme(), values: { name: 'a' } };
    await generate(request);
    expect(await generate(request)).toMatchObject({ written: true, changes: [{ kind: 'same' }] });

    const file = join(dir, 'reports/a/a.csv');
    await writeProject(dir, { 'reports/a/a.csv': 'mine' });
    expect(await generate(request)).toMatchObject({
      written: false,
      changes: [{ kind: 'differs', before: 'mine' }],
    });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    await generate({ ...request, force: true });
    expect(readFileSync(file, 'utf8')).toBe('A a of project\n');
    expect(readdirSync(join(dir, 'reports/a'))).toEqual(['a.csv']);
  });

  it('writes none of several files where one is there that differs', async () => {
    const { template } = findTemplate(findPlugins(realpathSync(dir)), 'operation');
    await writeProject(dir, { 'operations/a.ts': 'mine' });
    expect((await generate({ dir, template, values: { name: 'a' } })).written).toBe(false);
    expect(existsSync(join(dir, 'test'))).toBe(false);
  });

  it('leaves out tests with skipSpec', async () => {
    const { template } = findTemplate(findPlugins(realpathSync(dir)), 'operation');
    await generate({ dir, template, values: { name: 'a' }, skipSpec: true });
    expect(readdirSync(dir)).toEqual(['operations']);
  });

  it.each([
    [{}, 'report: the parameter "name" is required: What the report is called'],
    [{ name: '' }, 'report: the parameter "name" is required'],
    [{ name: 'a', formt: 'b' }, 'unknown parameter "formt". Did you mean "format"?'],
    [{ name: 'a/b' }, 'the parameter "name" is called "a/b"; a name starts with a letter'],
    [{ name: '../a' }, 'a name starts with a letter'],
    [{ name: 'a\\b' }, 'a name starts with a letter'],
    [{ name: '7up' }, 'a name starts with a letter'],
    [{ name: 'Constructor' }, 'is called "constructor", which is reserved'],
    [{ name: 'Null' }, 'is "null", which code takes for something else'],
    [{ name: 'a'.repeat(201) }, 'the longest is 200'],
    [{ name: 'a', format: 'x\ny' }, 'has a value of several lines'],
  ])('refuses the values %j', async (values, message) => {
    await expect(generate({ dir, template: await acme(), values })).rejects.toThrow(message);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('tells of all that is wrong with values at once', async () => {
    const wrong = generate({ dir, template: await acme(), values: { x: '1', format: 'a\n' } });
    await expect(wrong).rejects.toMatchObject({
      name: 'GenerationRefused',
      problems: { length: 3 },
    });
  });

  it.each([
    ['{{ format }}', '', '../out', 'has a separator'],
    ['{{ format }}', '', '..', 'leads out of its folder by ".."'],
    ['{{ format }}', '', '.', 'has an empty part, or "."'],
    ['a', '{{ format }}', '../../out', 'leads out of its folder by ".."'],
    ['a', 'b/{{ format }}', '../../out', 'leads out of its folder by ".."'],
    ['a', '{{ format }}', '/etc', 'is absolute'],
    ['a', '{{ format }}', 'C:/x', 'is absolute'],
    ['a', '{{ format }}', 'b//c', 'has an empty part'],
    ['a', '{{ format }}', '.git/hooks', 'is in .git'],
    ['a', '{{ format }}', 'node_modules/x', 'is in node_modules'],
    ['a', '{{ format }}', 'b\\c', 'folders are separated by "/"'],
    ['{{ format }}', '', '', 'the name of the file is empty'],
  ])('refuses %s in "%s" for %j', async (filename, subdir, format, message) => {
    const template = await acme(outputs(filename, subdir));
    const wrong = generate({ dir, template, values: { name: 'a', format } });
    await expect(wrong).rejects.toThrow(message);
    await expect(wrong).rejects.toThrow('acme/report/template.toml:1');
    expect(readdirSync(temporary.path).sort()).toEqual(['acme', 'project']);
  });

  it('writes through no link that leads out of the project', async () => {
    const outside = join(temporary.path, 'outside');
    mkdirSync(outside);
    await writeProject(outside, { 'a.csv': 'theirs' });
    symlinkSync(outside, join(dir, 'reports'));
    const template = await acme(outputs('a.csv', 'reports'));
    const request = { dir, template, values: {}, force: true };
    await expect(generate(request)).rejects.toThrow('reports is a link that leads outside');

    const linked = await acme(outputs('link', 'files'));
    mkdirSync(join(dir, 'files'));
    symlinkSync(join(outside, 'a.csv'), join(dir, 'files/link'));
    await expect(generate({ ...request, template: linked })).rejects.toThrow(
      'files/link is a link that leads outside',
    );
    symlinkSync(join(outside, 'new.csv'), join(dir, 'dangling'));
    const dangling = await acme(outputs('dangling', ''));
    await expect(generate({ ...request, template: dangling })).rejects.toThrow(
      'dangling is a link that leads nowhere',
    );
    expect(readdirSync(outside)).toEqual(['a.csv']);
    expect(readFileSync(join(outside, 'a.csv'), 'utf8')).toBe('theirs');
  });

  it('writes through a link that stays in the project', async () => {
    mkdirSync(join(dir, 'kept'));
    symlinkSync(join(dir, 'kept'), join(dir, 'reports'));
    const template = await acme(outputs('a.csv', 'reports'));
    await generate({ dir, template, values: { name: 'a' } });
    expect(readdirSync(join(dir, 'kept'))).toEqual(['a.csv']);
  });

  it('tells of a folder where a file should be, and of a file where a folder should be', async () => {
    await writeProject(dir, { 'reports/a/b': '', file: '' });
    const values = { name: 'a' };
    const onFolder = await acme(outputs('a', 'reports'));
    await expect(generate({ dir, template: onFolder, values })).rejects.toThrow(
      'reports/a is a folder',
    );
    const belowFile = await acme(outputs('a', 'file'));
    await expect(generate({ dir, template: belowFile, values })).rejects.toThrow(
      'file is a file, and no folder',
    );
  });

  it.each([
    ['operation', 'delete', 'Expected identifier but found "delete"'],
    ['operation', 'z', 'The symbol "z" has already been declared'],
    ['step-handler', 'success', 'The symbol "success" has already been declared'],
    ['step-handler', 'Result', '"result" would mean two things in it'],
    ['step-handler-api', 'Server', '"server" would mean two things in it'],
    ['step-handler-api', 'process', '"process" would mean two things in it'],
    ['operation', 'set', '"set" would mean two things in it'],
  ])('refuses a %s called %s, which would not be code', async (kind, name, message) => {
    const { template } = findTemplate(findPlugins(realpathSync(dir)), kind);
    await expect(generate({ dir, template, values: { name } })).rejects.toThrow(message);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('ends a template that takes too much, and tells its line', async () => {
    const template = await acme({
      'report/report.txt.liquid': '\n{% for a in (1..99999999) %}{% endfor %}',
    });
    const wrong = generate({ dir, template, values: { name: 'a' } });
    await expect(wrong).rejects.toThrow(/acme\/report\/report\.txt\.liquid:2:1/);
  });
});

describe('the kinds of `millrace generate`', () => {
  it('are templates of their names, and of the types of step handlers', () => {
    expect(templateOf('operation', undefined, false)).toBe('operation');
    expect(templateOf('step-handler', 'base', false)).toBe('step-handler');
    expect(templateOf('step-handler', 'api', false)).toBe('step-handler-api');
    expect(templateOf('anything', 'else', true)).toBe('anything-else');
  });

  it.each([
    ['operaton', undefined, 'unknown kind "operaton". Did you mean "operation"?'],
    ['operation', 'api', 'Only step handlers have a type'],
    ['step-handler', 'apis', 'unknown type "apis". Did you mean "api"?'],
  ])('refuse %s of the type %s', (kind, type, message) => {
    expect(() => templateOf(kind, type, false)).toThrow(message);
  });
});
