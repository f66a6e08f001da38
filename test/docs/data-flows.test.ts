import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createPostgresDatabase,
  describePostgres,
  type PostgresDatabase,
} from '../support/postgres.js';
import { expectPrinted } from './output.js';
import { blocksOf, placeOf, type Block } from './page.js';
import { linkPackages, MILLRACE } from './running-project.js';
import { lasting, Terminal } from './terminal.js';

const PAGE = 'docs/data-flows.md';

/** Longest step: 250,000 rows on a machine that is busy with other tests. */
const STEP_MS = 100_000;

const POSTGRES_ON_THE_PAGE = 'postgres://me:secret@127.0.0.1:5432/shop';

/** How a run is listed as JSON, as far as it is looked at. */
interface ListedRun {
  readonly runSeq: number;
  readonly status: string;
  readonly trigger: string;
  readonly scheduledAt: string | null;
}

/** What the reader does. Other projects of the page show what is possible; that they load is tested with all blocks. */
const marked = blocksOf(PAGE).filter(
  ({ marks }) => Object.keys(marks).length > 0 && marks['project'] === undefined,
);

function stepsIn(database: string): readonly (readonly [string, Block])[] {
  return marked
    .filter(({ marks }) => marks['in'] === undefined || marks['in'] === database)
    .map((block) => [placeOf(block), block] as const);
}

describe(`${PAGE} with SQLite`, () => {
  const reader = useReader(async () => ({}));

  it.each(stepsIn('sqlite'))(
    '%s does what it says',
    (_place, block) => reader.follow(block),
    STEP_MS,
  );

  it('has gone on where the killed process was', () => {
    reader.expectContinuation();
  });

  it('has run the import on its schedule, for the time that was asked for', async () => {
    await expectBackfilled(reader);
  });

  it('lets nobody call the heartbeat without the token', async () => {
    const [line = ''] = marked
      .filter(({ language }) => language === 'crontab')
      .map(({ code }) => code);
    const status = '-o answer.json -w "%{http_code}"';
    const without = commandOf(line)
      .replace('-fsS', `-s ${status}`)
      .replace('-H @$HOME/heartbeat-header', '');
    expect(await reader.terminal.type(without)).toBe('401');
    const wrong = commandOf(line)
      .replace('-fsS', `-s ${status}`)
      .replace('@$HOME/heartbeat-header', '"X-Heartbeat-Token: no"');
    expect(await reader.terminal.type(wrong)).toBe('401');
    expect(await reader.terminal.type(commandOf(line).replace('-fsS', `-s ${status}`))).toBe('200');
  });

  it(
    'has run the flow after the other',
    async () => {
      const count = await reader.terminal.type(
        'sort -u large-orders.ndjson | wc -l; wc -l < large-orders.ndjson',
      );
      const [distinct, lines] = count.trim().split(/\s+/);
      expect([distinct, lines]).toEqual([lines, lines]);
      await reader.terminal.type(
        "echo '500001,customer-1,99.50,2026-02-03' >> orders.csv; npx millrace flows run import-orders",
      );
      await reader.until(async () => (await reader.runs('export-orders'))[0]?.trigger === 'after');
    },
    STEP_MS,
  );
});

describePostgres(`${PAGE} with PostgreSQL`, () => {
  let database: PostgresDatabase | undefined;
  const reader = useReader(async () => {
    database = await createPostgresDatabase();
    return { [POSTGRES_ON_THE_PAGE]: database.url };
  });
  afterAll(async () => {
    await database?.drop();
  });

  it.each(stepsIn('postgres'))(
    '%s does what it says',
    (_place, block) => reader.follow(block),
    STEP_MS,
  );

  it('has gone on where the killed process was', () => {
    reader.expectContinuation();
  });

  it('has run the import on its schedule, for the time that was asked for', async () => {
    await expectBackfilled(reader);
  });
});

async function expectBackfilled(reader: Reader): Promise<void> {
  const [backfilled] = (await reader.runs('import-orders')).filter(
    ({ trigger }) => trigger === 'backfill',
  );
  // Three o'clock in Berlin.
  expect(backfilled).toMatchObject({ status: 'success' });
  expect(backfilled?.scheduledAt).toMatch(/^2026-01-0[12]T02:00:00\.000Z$/);
}

/** The command of a line of a crontab. */
function commandOf(line: string): string {
  const [, command = ''] = /^(?:\S+\s+){5}(.*)$/.exec(line.trim()) ?? [];
  return command;
}

/** Somebody who does what the page says, one block after the other. */
interface Reader {
  readonly terminal: Terminal;
  follow(block: Block): Promise<void>;
  runs(flow: string): Promise<readonly ListedRun[]>;
  until(holds: () => Promise<boolean>): Promise<void>;
  expectContinuation(): void;
}

function useReader(prepare: () => Promise<Readonly<Record<string, string>>>): Reader {
  let dir = '';
  let terminal: Terminal;
  let printed = '';
  let rowsWhenKilled = 0;
  let wentOn = '';
  beforeAll(async () => {
    if (!existsSync(MILLRACE)) throw new Error('Build it first: npm run build');
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-data-flows-')));
    linkPackages(dir);
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
