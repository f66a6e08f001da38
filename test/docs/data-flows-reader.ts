import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { shareBundles } from '../support/project-directory.js';
import { expectPrinted } from './output.js';
import { blocksOf, placeOf, type Block } from './page.js';
import { linkPackages, MILLRACE } from './running-project.js';
import { lasting, Terminal } from './terminal.js';

/** What is followed. */
export const PAGE = 'docs/data-flows.md';

/** Longest step: 250,000 rows on a machine that is busy with other tests. */
export const STEP_MS = 100_000;

/** How a run is listed as JSON, as far as it is looked at. */
interface ListedRun {
  readonly runSeq: number;
  readonly status: string;
  readonly trigger: string;
  readonly scheduledAt: string | null;
}

/** What the reader does. Other projects of the page show what is possible; that they load is tested with all blocks. */
export const marked = blocksOf(PAGE).filter(
  ({ marks }) => Object.keys(marks).length > 0 && marks['project'] === undefined,
);

/** What they do who follow the page with one of its databases: the place of each block, for the name of a test, and the block. */
export function stepsIn(database: 'sqlite' | 'postgres'): readonly (readonly [string, Block])[] {
  return marked
    .filter(({ marks }) => marks['in'] === undefined || marks['in'] === database)
    .map((block) => [placeOf(block), block] as const);
}

/** The page asks for times that are over; their runs have come. */
export async function expectBackfilled(reader: Reader): Promise<void> {
  const [backfilled] = (await reader.runs('import-orders')).filter(
    ({ trigger }) => trigger === 'backfill',
  );
  // Three o'clock in Berlin.
  expect(backfilled).toMatchObject({ status: 'success' });
  expect(backfilled?.scheduledAt).toMatch(/^2026-01-0[12]T02:00:00\.000Z$/);
}

/** The command of a line of a crontab. */
export function commandOf(line: string): string {
  const [, command = ''] = /^(?:\S+\s+){5}(.*)$/.exec(line.trim()) ?? [];
  return command;
}

/** Somebody who does what the page says, one block after the other. */
export interface Reader {
  readonly terminal: Terminal;
  follow(block: Block): Promise<void>;
  runs(flow: string): Promise<readonly ListedRun[]>;
  until(holds: () => Promise<boolean>): Promise<void>;
  expectContinuation(): void;
}

/**
 * A reader with a folder of their own, in which the page's packages are installed. For the tests of a `describe`.
 *
 * @param prepare - gets ready what the page takes for granted. What it resolves to are texts of the page that are others here
 */
export function useReader(prepare: () => Promise<Readonly<Record<string, string>>>): Reader {
  let dir = '';
  let terminal: Terminal;
  let printed = '';
  let rowsWhenKilled = 0;
  let wentOn = '';
  beforeAll(async () => {
    if (!existsSync(MILLRACE)) throw new Error('Build it first: npm run build');
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-data-flows-')));
    linkPackages(dir);
    await shareBundles(dir);
    terminal = new Terminal(dir, await prepare());
  }, STEP_MS);
  afterAll(async () => {
    await terminal.stopDev();
    rmSync(dir, { recursive: true, force: true });
  }, STEP_MS);

  const runs = async (flow: string): Promise<readonly ListedRun[]> =>
    JSON.parse(
      await terminal.type(`npx millrace flows runs ${flow} --json`),
    ) as readonly ListedRun[];

  const run = async (code: string): Promise<void> => {
    if (code.includes('--follow')) {
      const [last] = await runs('import-orders');
      // A new catalog has counted from one again.
      printed = await terminal.type(
        code.replace(/--follow \d+/, `--follow ${String(last?.runSeq)}`),
      );
      wentOn = terminal.screen;
      return;
    }
    printed = await terminal.type(code);
    if (code.includes('kill -9')) rowsWhenKilled = await rows(terminal);
  };

  const follow = async ({ marks, language, code }: Block): Promise<void> => {
    const { file, change } = marks;
    if (marks['stopped'] !== undefined) await terminal.stopDev();
    if (file !== undefined) await terminal.save(file, code);
    else if (change !== undefined) await terminal.change(change, code);
    else if (marks['start'] !== undefined) await terminal.startDev();
    else if (language === 'crontab') printed = await terminal.type(commandOf(code));
    else if (marks['run'] !== undefined) await run(code);
    else if (language === 'json') expectPrinted(code, printed);
    else expect(withoutRunNumber(lasting(printed))).toEqual(withoutRunNumber(lasting(code)));
  };

  return {
    get terminal() {
      return terminal;
    },
    follow,
    runs,
    until: async (holds) => {
      for (let look = 0; !(await holds()); look += 1) {
        if (look > 40) throw new Error(`it did not happen:\n${terminal.screen}`);
        await delay(250);
      }
    },
    expectContinuation: () => {
      expect(rowsWhenKilled).toBeGreaterThan(5_001);
      expect(rowsWhenKilled).toBeLessThan(250_000);
      expect(wentOn).toMatch(/1 run goes on/);
    },
  };
}

/** Rows that the table has. */
async function rows(terminal: Terminal): Promise<number> {
  const count = 'SELECT count(*) FROM orders';
  return Number(
    await terminal.type(
      `if [ -n "\${DATABASE_URL-}" ]; then psql "$DATABASE_URL" -At -c '${count}'; else sqlite3 orders.db '${count}'; fi`,
    ),
  );
}

/** The second database has a catalog of its own, which counts from one again. */
function withoutRunNumber(lines: readonly string[]): readonly string[] {
  return lines.map((line) =>
    line.replace(/\b[Rr]un \d+/g, 'run N').replace(/(flows rejections \S+) \d+/, '$1 N'),
  );
}
