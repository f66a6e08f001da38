import { describe, expect, it } from '@jest/globals';
import { loadProject } from '../../../engine/project/load-project.js';
import {
  COUNT_WORDS,
  WORD_REPORT,
  loadRightProject,
  messagesIn,
  messagesOf,
  writeProject,
} from '../../support/project.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const temporary = useTemporaryDirectory();
const messages = messagesIn(temporary);

function config(options: string): string {
  return `import { defineConfig } from 'millrace';\n\nexport default defineConfig(${options});\n`;
}

describe('millrace.config.ts', () => {
  it('sets options, and what it leaves out has its default', async () => {
    await writeProject(temporary.path, {
      'millrace.config.ts': config(`{
        catchAllRoutes: true,
        executionRetention: '2 days',
        apiAuthentication: (ctx) => ctx.get('x-key') === 'key' && 'somebody',
        server: { port: 9000 },
      }`),
    });
    const { config: read } = await loadRightProject(temporary.path);
    expect(read).toMatchObject({
      catchAllRoutes: true,
      debug: false,
      executionRetentionMs: 2 * 24 * 60 * 60_000,
      server: { port: 9000, host: '127.0.0.1' },
    });
    expect(typeof read.apiAuthentication).toBe('function');
  });

  it.each(['millrace.config.js', 'millrace.config.mjs'])('may be %s', async (name) => {
    await writeProject(temporary.path, { [name]: 'export default { debug: true };\n' });
    expect((await loadRightProject(temporary.path)).config.debug).toBe(true);
  });

  it('may be there once only', async () => {
    expect(
      await messages({ 'millrace.config.ts': config('{}'), 'millrace.config.mjs': config('{}') }),
    ).toEqual(['millrace.config.mjs  the project has millrace.config.ts too. Keep one of them.']);
  });

  it('needs a default export', async () => {
    expect(await messages({ 'millrace.config.ts': 'export const config = {};\n' })).toEqual([
      'millrace.config.ts  there is no default export. Write: export default defineConfig({ … }).',
    ]);
  });

  it('with wrong options is refused, all of them at once, with the names that were meant', async () => {
    const wrong = `{
      catchAllRoute: true,
      exposePipes: 'some',
      executionRetention: 'a while',
      beforeExecute: 'yes',
      server: { prot: 1, port: 99_999 },
      webhooks: { secret: 'whsec_plain', allow: ['10.0.0.0'] },
    } as never`;
    expect(await messages({ 'millrace.config.ts': config(wrong) })).toEqual(
      expect.arrayContaining([
        'millrace.config.ts:3:16  config: unknown option "catchAllRoute". Did you mean "catchAllRoutes"?',
        'millrace.config.ts:3:16  config: server: unknown option "prot". Did you mean "port"?',
        'millrace.config.ts:3:16  config: option \'beforeExecute\' expected a function, got "yes".',
        expect.stringMatching(
          /config: option 'executionRetention' is not valid: "a while" is not a duration\./,
        ),
        expect.stringMatching(/config: option 'exposePipes' expected one of "all", "none"/),
        expect.stringMatching(/config: option 'server\.port' expected number <=65535, got 99999\./),
        expect.stringMatching(
          /config: option 'webhooks\.secret' is not valid: it must be a reference such as "secret:\/\/webhooks"/,
        ),
        expect.stringMatching(
          /config: option 'webhooks\.allow\[0\]' is not valid: write a range of addresses/,
        ),
      ]),
    );
  });

  it('that throws is told with its line', async () => {
    expect(
      await messages({
        'millrace.config.ts': `interface Gone { a: string }\nthrow new Error('no such key');\n`,
      }),
    ).toEqual(['millrace.config.ts:2:7  threw while it was loaded: Error: no such key']);
  });

  it('warns of tracking that is turned off, and loads', async () => {
    await writeProject(temporary.path, {
      'millrace.config.ts': config('{ trackExecutions: false }'),
    });
    const loaded = await loadProject(temporary.path);
    expect(messagesOf(loaded)).toEqual([
      'millrace.config.ts:3:16  warning:  config: trackExecutions: false has no effect. Temporal keeps track of every run; executionRetention says for how long.',
    ]);
    expect(loaded.project).toBeDefined();
  });

  it('exposes only what there is', async () => {
    expect(
      await messages({
        'millrace.config.ts': config(`{ exposePipes: ['word-report', 'word-reprot'] }`),
        'operations/count-words.ts': COUNT_WORDS,
        'pipelines/word-report.yml': WORD_REPORT,
      }),
    ).toEqual([
      'millrace.config.ts:3:16  config: exposePipes: there is no pipeline, task or workflow "word-reprot". Did you mean "word-report"?',
    ]);
  });

  it('routes only what there is', async () => {
    expect(
      await messages({
        'millrace.config.ts': config(
          `{ routes: [{ pipeline: 'word-report' }, { pipeline: 'word-reprot', path: '/words' }] }`,
        ),
        'operations/count-words.ts': COUNT_WORDS,
        'pipelines/word-report.yml': WORD_REPORT,
      }),
    ).toEqual([
      'millrace.config.ts:3:16  config: routes[1]: there is no pipeline, task or workflow "word-reprot". Did you mean "word-report"?',
    ]);
  });

  it('keeps routes out of the place that catchAllRoutes gives a definition', async () => {
    const problems = (path: string, catchAllRoutes = true): Promise<readonly string[]> =>
      messages({
        'millrace.config.ts': config(
          `{ catchAllRoutes: ${String(catchAllRoutes)}, routes: [{ pipeline: 'count', path: '${path}' }] }`,
        ),
        'operations/count-words.ts': COUNT_WORDS,
        'pipelines/word-report.yml': WORD_REPORT,
        'pipelines/count.yml':
          'name: count\nstages: [{ name: count, operations: [count-words] }]\n',
      });
    const takenBy = (name: string, path: string): readonly string[] => [
      `millrace.config.ts:3:16  config: routes[0]: the path "${path}" is taken by "${name}", which catchAllRoutes serves at /pipelines/${name}.`,
    ];
    for (const path of [
      '/pipelines/word-report',
      '/pipelines/word-report/stream',
      '/pipelines/word-report/executions/x',
    ]) {
      expect(await problems(path)).toEqual(takenBy('word-report', path));
      expect(await problems(path, false)).toEqual([]);
    }
    expect(await problems('/pipelines/count/async')).toEqual(
      takenBy('count', '/pipelines/count/async'),
    );
    for (const path of ['/pipelines/count', '/pipelines/words', '/pipelines/Word-Report'])
      expect(await problems(path)).toEqual([]);
  });

  it('names references to variables that must be set', async () => {
    const files = {
      'millrace.config.ts': config(
        `{ webhooks: { secret: ['\${HOOK_NEW}', '\${HOOK_OLD}', 'secret://hook'] } }`,
      ),
    };
    expect(await messages(files, { HOOK_OLD: 'x' })).toEqual([
      'millrace.config.ts:3:16  config: webhooks.secret: the environment variable HOOK_NEW is not set. Set it before you start, or take the option out.',
    ]);
  });
});

describe('autoloadPaths', () => {
  it('loads definitions from more files and folders', async () => {
    await writeProject(temporary.path, {
      'millrace.config.ts': config(`{ autoloadPaths: ['lib/operations', 'extra.ts'] }`),
      'lib/operations/count-words.ts': COUNT_WORDS,
      'extra.ts': COUNT_WORDS.replace("'count-words'", "'count-more'"),
      'pipelines/word-report.yml': WORD_REPORT,
    });
    const { registry } = await loadRightProject(temporary.path);
    expect([...registry.operations.keys()]).toEqual(
      expect.arrayContaining(['count-words', 'count-more']),
    );
  });

  it('refuses what does not exist', async () => {
    expect(
      await messages({ 'millrace.config.ts': config(`{ autoloadPaths: ['lib/none'] }`) }),
    ).toEqual([
      'millrace.config.ts:3:16  config: autoloadPaths: there is no file or folder lib/none.',
    ]);
  });
});

describe('configPath', () => {
  it('is where models and more pipelines are, beside those of the project', async () => {
    const pipeline = (name: string): string =>
      `name: ${name}\nstages: [{ name: one, operations: [log] }]\n`;
    await writeProject(temporary.path, {
      'millrace.config.ts': config(`{ configPath: 'config/app' }`),
      'config/app/config.yml': 'models: { fast: { provider: openai, model: gpt } }\n',
      'config/app/a.yml': pipeline('a'),
      'config/app/pipelines/b.yaml': pipeline('b'),
      'pipelines/c.yml': pipeline('c'),
      'config.yml': 'models: { ignored: { provider: openai, model: gpt } }\n',
    });
    const { registry, models } = await loadRightProject(temporary.path);
    expect([...registry.definitions.keys()].sort()).toEqual(['a', 'b', 'c']);
    expect([...models.keys()]).toEqual(['fast']);
  });

  it('refuses a folder that does not exist', async () => {
    expect(await messages({ 'millrace.config.ts': config(`{ configPath: 'confg' }`) })).toEqual([
      'millrace.config.ts:3:16  config: configPath: there is no folder confg.',
    ]);
  });
});
