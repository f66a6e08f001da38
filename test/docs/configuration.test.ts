import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadProject } from '../../engine/project/load-project.js';
import { configSchema } from '../../src/config/config-schema.js';
import { modelConfigSchema } from '../../src/config/model-config.js';
import { namesAt } from '../../src/config/schema-problems.js';
import { messagesOf, writeProject } from '../support/project.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const temporary = useTemporaryDirectory();

const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');
const [optionsPart = '', modelsPart = ''] = page.split('## config.yml');

function blocks(language: string): readonly string[] {
  return [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, name]) => name === language)
    .map(([, , code = '']) => code);
}

/** The names in the first columns of a part's tables. */
function rows(part: string): readonly string[] {
  return [...part.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, name = '']) => name).sort();
}

describe('docs/configuration.md', () => {
  it('tells of every option, and of no other', () => {
    const groups = [
      ['approvals'],
      ['attributes'],
      ['catalog'],
      ['catalog', 'pool'],
      ['cors'],
      ['dataFlows'],
      ['dataFlows', 'heartbeat'],
      ['events'],
      ['metrics'],
      ['recordPipelines'],
      ['server'],
      ['sessions'],
      ['tasks'],
      ['temporal'],
      ['webhooks'],
      ['worker'],
      ['worker', 'http'],
    ];
    const isGroup = (path: string): boolean => groups.some((group) => group.join('.') === path);
    const inGroups = groups.flatMap((group) =>
      namesAt(configSchema, group).map((name) => [...group, name].join('.')),
    );
    const all = [...namesAt(configSchema, []), ...inGroups].filter((path) => !isGroup(path));
    expect(rows(optionsPart)).toEqual([...all].sort());
  });

  it('tells of every key of a model, and of no other', () => {
    const all = namesAt(modelConfigSchema, []).flatMap((name) =>
      name === 'options'
        ? namesAt(modelConfigSchema, [name]).map((inner) => `${name}.${inner}`)
        : [name],
    );
    expect(rows(modelsPart)).toEqual([...all].sort());
  });

  it.each(blocks('ts'))('shows a configuration that loads: %#', async (code) => {
    const dir = await writeProject(temporary.path, {
      'millrace.config.ts': code,
      'pipelines/word-report.yml':
        'name: word-report\nstages: [{ name: log, operations: [log] }]\n',
    });
    expect(messagesOf(await loadProject(dir))).toEqual([]);
  });

  it.each(blocks('yml'))('shows models that load: %#', async (code) => {
    const dir = await writeProject(temporary.path, { 'config.yml': code });
    expect(messagesOf(await loadProject(dir, { env: { OPENAI_API_KEY: 'key' } }))).toEqual([]);
  });
});
