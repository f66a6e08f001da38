import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startOpenAIServer, type OpenAIServer } from '../support/openai-server.js';
import { runNodeTests } from './node-tests.js';
import { expectPrinted } from './output.js';
import { blocksOf, placeOf, type Block } from './page.js';
import { copyQuickstart } from './quickstart-copy.js';
import { linkPackages } from './running-project.js';
import { lasting, Terminal } from './terminal.js';

/** A run from its start to its end, on a machine that is busy with other tests. */
const STEP_MS = 90_000;

/** Where the pages say that the model is. */
const MODEL = 'http://127.0.0.1:11434/v1';

describe.each(['docs/attribute-pipelines.md', 'docs/modules.md'])(
  '%s, followed in the quickstart',
  (page) => {
    const dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-attributes-')));
    let terminal: Terminal;
    let model: OpenAIServer;
    let printed = '';
    let typed = '';

    beforeAll(async () => {
      await copyQuickstart(dir);
      model = await startOpenAIServer();
      model.reply(({ body }) => ({ says: blurbFor(JSON.stringify(body)) }));
      terminal = new Terminal(dir, {}, homedir());
      await terminal.startDev();
    }, STEP_MS);
    afterAll(async () => {
      await terminal.stopDev();
      await model.close();
      rmSync(dir, { recursive: true, force: true });
    }, STEP_MS);

    /** What comes about by itself takes a moment: the commands are typed again until then. */
    const comesAbout = async (shown: string): Promise<void> => {
      for (let look = 0; look < 100; look += 1) {
        try {
          expectPrinted(shown, printed);
          return;
        } catch {
          await delay(200);
          printed = await terminal.type(typed);
        }
      }
      expectPrinted(shown, printed);
    };

    const follow = async ({ language, marks, code }: Block): Promise<void> => {
      const { file } = marks;
      if (file !== undefined) await terminal.save(file, code.replaceAll(MODEL, model.url));
      else if (marks['run'] !== undefined) {
        typed = code;
        printed =
          marks['fails'] === undefined ? await terminal.type(code) : await terminal.fail(code);
      } else if (marks['soon'] !== undefined) await comesAbout(code);
      else if (language === 'json') expectPrinted(code, printed);
      else expect(lastingHere(printed)).toEqual(lastingHere(code));
    };

    const steps = blocksOf(page).filter(({ marks }) => Object.keys(marks).length > 0);

    it.each(steps.map((block) => [placeOf(block), block] as const))(
      '%s',
      (_place, block) => follow(block),
      STEP_MS,
    );
  },
);

describe('docs/modules.md', () => {
  it(
    'has tests that pass',
    async () => {
      const dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-modules-')));
      try {
        linkPackages(dir);
        const terminal = new Terminal(dir);
        await terminal.save('package.json', '{ "type": "module" }');
        for (const { marks, code } of blocksOf('docs/modules.md'))
          if (marks['file'] !== undefined) await terminal.save(marks['file'], code);
        const said = await runNodeTests(dir, { timeoutMs: STEP_MS });
        expect(said).toMatch(/^# pass 2$/m);
        expect(said).toMatch(/^# fail 0$/m);
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    },
    STEP_MS,
  );
});

/** What the model of the page says: of the lines of the prompt. */
function blurbFor(body: string): Readonly<Record<string, unknown>> {
  const [, material = ''] = /material: (\w+)/.exec(body) ?? [];
  const [, litres = ''] = /Litres: ([\d.]+)/.exec(body) ?? [];
  return {
    value: `A ${material} vase for ${litres} litres of spring.`,
    justification: `It is made of ${material} and holds ${litres} litres.`,
    confidence: 0.9,
  };
}

function lastingHere(text: string): readonly string[] {
  return lasting(text).map((line) => line.replace(/\b0[0-9A-Z]{25}\b/g, 'ID'));
}
