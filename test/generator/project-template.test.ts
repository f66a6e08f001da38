import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { loadProject } from '../../engine/project/load-project.js';
import { readToml } from '../../engine/project/toml-file.js';
import { applyInstall, planInstall } from '../../generator/install/install.js';
import { codePath, CONFIG_OPTIONS, isConfigGroup } from '../../src/config/config-options.js';
import { isPlainObject } from '../../src/definition/json.js';
import { messagesOf, writeProject } from '../support/project.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { typeErrors } from '../docs/type-check.js';

const temporary = useTemporaryDirectory();

const FILES = ['common', 'worker', 'server'].map((name) => `config/millrace/base/${name}.toml`);

const ENVIRONMENT = {
  APPROVAL_SECRET: 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  HEARTBEAT_TOKEN: 'token',
  SESSION_SECRET: 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  WEBHOOK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  OPENAI_API_KEY: 'key',
};

/** A text with the options that it has commented out: `#port = 1`, where `# Port` is a sentence. */
const uncommented = (text: string): string => text.replace(/^( *)(?:#|\/\/)(?=[^\s#/])/gm, '$1');

/** The paths of options, as code names them. */
function optionsIn(value: unknown, written: readonly string[] = []): readonly string[] {
  if (!isPlainObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const place = [...written, name];
    const path = codePath(place);
    return isConfigGroup(path) ? optionsIn(member, place) : [path.join('.')];
  });
}

describe('the configuration of a project that was set up', () => {
  let files: Readonly<Record<string, string>> = {};
  beforeEach(async () => {
    await applyInstall(await planInstall(temporary.path));
    const all = [...FILES, 'millrace.config.ts'];
    files = Object.fromEntries(
      all.map((path) => [path, uncommented(readFileSync(join(temporary.path, path), 'utf8'))]),
    );
  });

  it('has every option that is data, commented out, in one of its files', () => {
    const there = FILES.flatMap((path) => {
      const { toml, problems } = readToml(path, files[path] ?? '');
      expect(problems).toEqual([]);
      return optionsIn(toml?.value);
    });
    const data = [...CONFIG_OPTIONS].filter(([, { isCode }]) => !isCode).map(([path]) => path);
    expect([...there].sort()).toEqual([...data].sort());
  });

  it('has every option that is code, commented out, in millrace.config.ts', () => {
    const code = [...CONFIG_OPTIONS].filter(([, { isCode }]) => isCode).map(([, it]) => it.path);
    const text = files['millrace.config.ts'] ?? '';
    const missing = code.filter((path) => !new RegExp(`\\b${path.at(-1) ?? ''}:`).test(text));
    expect(missing).toEqual([]);
    expect(typeErrors(new Map([['installed/millrace.config.ts', text]]))).toEqual([]);
  });

  it('has models to begin with, commented out', async () => {
    const [, ...lines] = readFileSync(join(temporary.path, 'config.yml'), 'utf8').split('\n');
    const models = lines.map((line) => line.replace(/^#/, '')).join('\n');
    const dir = await writeProject(join(temporary.path, 'models'), { 'config.yml': models });
    const { project, problems } = await loadProject(dir, { env: ENVIRONMENT });
    expect(messagesOf({ problems })).toEqual([]);
    expect([...(project?.models.keys() ?? [])]).toEqual(['writer', 'local']);
  });

  it('loads with all of them', async () => {
    await writeProject(temporary.path, {
      ...files,
      'config/pipelines/config.yml': '{}\n',
      'shop/operations/none.ts': 'export {};\n',
      'app/handlers/none.ts': 'export {};\n',
      'app/templates/README.md': 'Templates.\n',
    });
    const { problems } = await loadProject(temporary.path, { env: ENVIRONMENT });
    expect(messagesOf({ problems })).toEqual([]);
  });
});
