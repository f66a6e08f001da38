import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadProject } from '../../engine/project/load-project.js';
import { format, resolveConfig } from 'prettier';
import { configReference } from '../../cli/config/config-reference.js';
import { CONFIG_OPTIONS } from '../../src/config/config-options.js';
import { OPTION_TEXTS } from '../../src/config/option-texts.js';
import { optionType } from '../../src/config/option-type.js';
import { modelConfigSchema } from '../../src/config/model-config.js';
import { namesAt } from '../../src/config/schema-problems.js';
import { messagesOf, writeProject } from '../support/project.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const temporary = useTemporaryDirectory();

const REFERENCE = join(import.meta.dirname, '../../docs/configuration-reference.md');
const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');
const [, modelsPart = ''] = page.split('## config.yml');

function blocks(language: string): readonly string[] {
  return [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, name]) => name === language)
    .map(([, , code = '']) => code);
}

/** The names in the first columns of a part's tables. */
function rows(part: string): readonly string[] {
  return [...part.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, name = '']) => name).sort();
}

describe('docs/configuration-reference.md', () => {
  it('is what `millrace config reference` prints', async () => {
    const options = await resolveConfig(REFERENCE);
    const printed = await format(configReference(), { ...options, parser: 'markdown' });
    expect(readFileSync(REFERENCE, 'utf8')).toBe(printed);
  });

  it('tells what every option does, and of no other', () => {
    expect(Object.keys(OPTION_TEXTS).sort()).toEqual([...CONFIG_OPTIONS.keys()].sort());
    expect(Object.values(OPTION_TEXTS)).not.toContain('');
  });

  it('has a type for every option, and a row', () => {
    const printed = configReference();
    for (const [name, option] of CONFIG_OPTIONS) {
      expect(printed).toContain(`| \`${name}\` |`);
      expect(optionType(option)).not.toBe('');
    }
  });
});

describe('docs/configuration.md', () => {
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
