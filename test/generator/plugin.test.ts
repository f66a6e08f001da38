import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { formatProblem } from '../../src/definition/problem.js';
import { VERSION } from '../../src/version.js';
import { loadPlugin } from '../../generator/plugin/plugin.js';
import { ownPluginFolder } from '../../generator/plugin/search.js';
import { KINDS } from '../../generator/kinds.js';
import { writeProject, type ProjectFiles } from '../support/project.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { ACME } from './plugins.js';

const temporary = useTemporaryDirectory();

async function problemsOf(files: ProjectFiles): Promise<readonly string[]> {
  const dir = await writeProject(temporary.path, files);
  const { plugin, problems } = loadPlugin(dir, dir);
  if (problems.length > 0) expect(plugin).toBeUndefined();
  return problems.map(formatProblem);
}

/** The manifest of the template with something else in the place of a part. */
function changed(file: string, part: string, other: string): ProjectFiles {
  const text = ACME[file] ?? '';
  if (!text.includes(part)) throw new Error(`${file} has no ${part}`);
  return { ...ACME, [file]: text.replace(part, other) };
}

describe('a plugin', () => {
  it('is read with its templates, their parameters and outputs', async () => {
    const dir = await writeProject(temporary.path, ACME);
    const { plugin, problems } = loadPlugin(dir, dir);
    expect(problems).toEqual([]);
    expect(plugin).toMatchObject({
      name: 'acme',
      version: '1.2.0',
      language: 'typescript',
      framework: 'millrace',
      templates: [{ name: 'report', parameters: [{ name: 'name' }, { default: 'csv' }] }],
    });
  });

  it('that comes with the package has nothing wrong, its version, and a template for each kind', () => {
    const { plugin, problems } = loadPlugin(ownPluginFolder(), ownPluginFolder());
    expect(problems).toEqual([]);
    expect(plugin?.version).toBe(VERSION);
    const names = plugin?.templates.map(({ name }) => name) ?? [];
    expect(names).toEqual(expect.arrayContaining([...KINDS]));
    expect(names.filter((name) => name.startsWith('step-handler'))).toEqual([
      'step-handler',
      'step-handler-api',
      'step-handler-decision',
      'step-handler-batchable',
    ]);
  });

  const PLUGIN = 'millrace-plugin.toml';
  const TEMPLATE = 'report/template.toml';
  it.each<readonly [string, ProjectFiles, string]>([
    [
      'an unknown key',
      changed(PLUGIN, 'framework', 'frame_work'),
      'millrace-plugin.toml:5:1  unknown key "frame_work". Did you mean "framework"?',
    ],
    [
      'a table that another manifest shape has',
      changed(PLUGIN, 'name = "acme"', '[plugin]\nname = "acme"'),
      'millrace-plugin.toml:1:2  unknown key "plugin".',
    ],
    [
      'a missing version',
      changed(PLUGIN, 'version = "1.2.0"\n', ''),
      'millrace-plugin.toml:1  the key "version" is missing.',
    ],
    [
      'a version that is none',
      changed(PLUGIN, '1.2.0', 'one'),
      "millrace-plugin.toml:2:1  key 'version' is not valid",
    ],
    [
      'no TOML',
      changed(PLUGIN, 'templates = [', 'templates = '),
      'millrace-plugin.toml:6:21  not valid TOML',
    ],
    [
      'a template that is not there',
      changed(PLUGIN, '["report"]', '["report", "invoice"]'),
      'millrace-plugin.toml:6:24  there is no file invoice/template.toml in the plugin.',
    ],
    [
      'a template outside of the plugin',
      changed(PLUGIN, '["report"]', '["../report"]'),
      'millrace-plugin.toml:6:14  key \'templates[0]\' is not valid: "../report" leads out of its folder by "..".',
    ],
    [
      'an output without a file',
      changed(TEMPLATE, 'template = "report.txt.liquid"', 'template = "none.liquid"'),
      'report/template.toml:15:1  there is no file report/none.liquid in the plugin.',
    ],
    [
      'an output of another shape',
      changed(TEMPLATE, 'filename = ', 'file_name = '),
      'report/template.toml:16:1  unknown key "file_name". Did you mean "filename"?',
    ],
    [
      'a parameter that is required and has a default',
      changed(TEMPLATE, 'required = true', 'required = true\ndefault = "a"'),
      "report/template.toml:8:1  key 'parameters[0].default' is not valid: a parameter that is required has no default",
    ],
    [
      'two parameters of one name',
      changed(TEMPLATE, 'name = "format"', 'name = "name"'),
      'report/template.toml:10:1  there are two parameters "name".',
    ],
    [
      'a parameter that means something already',
      changed(TEMPLATE, 'name = "format"', 'name = "project"'),
      'report/template.toml:10:1  "project" is what templates know of the project.',
    ],
    [
      'an unknown filter in a file name',
      changed(TEMPLATE, '"{{ name | kebab_case }}', '"{{ name | kebabcase }}'),
      'report/template.toml:16:1  undefined filter: kebabcase.',
    ],
    [
      'a parameter in a folder that there is not',
      changed(TEMPLATE, 'reports/{{ name', 'reports/{{ nam'),
      'report/template.toml:17:1  unknown parameter "nam". Did you mean "name"?',
    ],
    [
      'a folder outside of the project',
      changed(TEMPLATE, 'reports/{{ name', '../{{ name'),
      'report/template.toml:17:1  "../…/…" leads out of its folder by "..".',
    ],
    [
      'a file with a folder in its name',
      changed(TEMPLATE, 'filename = "{{ name', 'filename = "a/{{ name'),
      'report/template.toml:16:1  the name of the file, "a/….…", has a separator',
    ],
  ])('is refused for %s, with file and line', async (_what, files, message) => {
    expect((await problemsOf(files)).join('\n')).toContain(message);
  });

  it.each([
    ['{{ name | snakecase }}', ':2:3  undefined filter: snakecase.'],
    ["{% include '/etc/hostname' %}", ':2:3  tag "include" not found.'],
    ['{% if name %}', ':2:3  tag {% if name %} not closed.'],
    ['{{ names }}', ':2:6  unknown parameter "names". Did you mean "name"?'],
    ['{{ project.runner }}', ':2:6  unknown variable "project.runner".'],
    ['{% for a in name %}{{ a }}{{ b }}{% endfor %}', ':2:32  unknown parameter "b".'],
  ])('is refused for %s in a template', async (text, message) => {
    const files = { ...ACME, 'report/report.txt.liquid': `first\n  ${text}\n` };
    expect((await problemsOf(files)).join('\n')).toContain(`report/report.txt.liquid${message}`);
  });

  it('is told of all that is wrong at once', async () => {
    const files = {
      ...changed(TEMPLATE, 'reports/{{ name', 'reports/{{ nam'),
      'report/report.txt.liquid': '{{ nome }} {{ nume }}',
    };
    expect(await problemsOf(files)).toHaveLength(3);
  });

  it('is refused for two templates of one name', async () => {
    const files = {
      ...changed(PLUGIN, '["report"]', '["report", "other"]'),
      'other/template.toml': ACME[TEMPLATE] ?? '',
      'other/report.txt.liquid': '',
    };
    expect(await problemsOf(files)).toEqual([
      'other/template.toml:1  the template report/template.toml is called "report", too. Rename one of them.',
    ]);
  });

  it('reads no file outside of itself, not even through a link', async () => {
    const dir = await writeProject(temporary.path, {
      'secret.txt': 'secret',
      ...Object.fromEntries(Object.entries(ACME).map(([path, text]) => [`acme/${path}`, text])),
      'acme/report/template.toml': (ACME[TEMPLATE] ?? '').replace('report.txt.liquid', 'link'),
    });
    symlinkSync(join(dir, 'secret.txt'), join(dir, 'acme/report/link'));
    const { problems } = loadPlugin(join(dir, 'acme'), dir);
    expect(problems.map(formatProblem).join('\n')).toMatch(
      /acme\/report\/template.toml:15:1 {2}report\/link is a link that leads outside, to/,
    );
  });
});
