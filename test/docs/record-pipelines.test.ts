import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { blocksOf, placeOf, type Block } from './page.js';
import { copyQuickstart } from './quickstart-copy.js';
import { lasting, Terminal } from './terminal.js';

/** A run from its start to its end, on a machine that is busy with other tests. */
const STEP_MS = 90_000;

/** What a reader does who follows the page; files of it are projects of their own, which are loaded with all blocks. */
const steps = blocksOf('docs/record-pipelines.md').filter(
  ({ marks }) => marks['file'] === undefined && Object.keys(marks).length > 0,
);

describe('docs/record-pipelines.md, followed in the quickstart', () => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-records-')));
  let terminal: Terminal;
  let printed = '';

  beforeAll(async () => {
    await copyQuickstart(dir);
    // Commands that start a Temporal server of their own find its program there.
    terminal = new Terminal(dir, {}, homedir());
  });
  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  /** The page names the version that was made when the second run failed; here it has another time. */
  const withVersion = async (code: string): Promise<string> => {
    if (!/\d{4}-\d\d-\d\dT[\d-]+\.\d+Z/.test(code)) return code;
    const versions = JSON.parse(
      await terminal.type('npx millrace records versions strike-costs --json'),
    ) as readonly { readonly id: string; readonly reason: string }[];
    const failed = versions.find(({ reason }) => reason === 'failure');
    return code.replaceAll(/\d{4}-\d\d-\d\dT[\d-]+\.\d+Z/g, failed?.id ?? '');
  };

  const follow = async ({ language, marks, code }: Block): Promise<void> => {
    const { change } = marks;
    if (change !== undefined) await terminal.change(change, code);
    else if (marks['fails'] !== undefined) printed = await terminal.fail(code);
    else if (marks['run'] !== undefined) printed = await terminal.type(await withVersion(code));
    else if (language === 'text') expect(lastingHere(printed)).toEqual(lastingHere(code));
    else throw new Error(`what is done with ${language} ${JSON.stringify(marks)}?`);
  };

  it.each(steps.map((block) => [placeOf(block), block] as const))(
    '%s',
    (_place, block) => follow(block),
    STEP_MS,
  );
});

/** How many bodies ended while another one failed is other each time; so are ids and sizes. */
function lastingHere(text: string): readonly string[] {
  return lasting(text).map((line) =>
    line
      .replace(/\b0[0-9A-Z]{25}\b/g, 'RUN')
      .replace(/\d{4}-\d\d-\d\dT[\d-]+\.\d+Z/g, 'VERSION')
      .replace(/[\d.]+ MB/g, 'SIZE')
      .replace(/[\d,]+ records in DURATION, [\d,.]+ records\/s/, 'RECORDS')
      .replace(/\d+ changed/, 'MANY changed')
      .replace(/and \d+ more/, 'and MORE'),
  );
}
