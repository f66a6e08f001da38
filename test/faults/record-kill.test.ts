import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { bundleProgram, type BundledProgram } from '../support/bundled-program.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import { tell } from './measurements.js';
import { CONCURRENCY, HALVES, ordersIn } from './record-orders.js';

const KILLS = 60;
/** Bodies that have their effect between two kills; all kills come before the last body. */
const EFFECTS_BETWEEN = { least: 5, more: 150 } as const;
const ORDERS = (KILLS * (EFFECTS_BETWEEN.least + EFFECTS_BETWEEN.more)) / 2;

/** Most bodies that end within the time of one group. */
const GROUP = 60;

/** A process on a machine with other things to do has begun by then. */
const PATIENCE_MS = 60_000;

const folder = useTemporaryDirectory();
const file = (name: string): string => join(folder.path, name);
let program: BundledProgram;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  program = await bundleProgram(join(import.meta.dirname, 'fixtures/drain-orders.ts'));
});

afterAll(() => program.remove());

// Before the hook that removes the folder.
afterEach(async () => {
  await Promise.all([...running].map(kill));
});

interface Draining {
  readonly child: ChildProcess;
  readonly said: () => string;
}

function start(): Draining {
  const args = [program.path, file('store'), file('ledger.txt'), 'run-1'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let said = '';
  const take = (chunk: Buffer): void => {
    said += chunk.toString();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  return { child, said: () => said };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function untilSaid({ child, said }: Draining, pattern: RegExp, ms: number): Promise<string> {
  return until(async () => {
    const [match] = pattern.exec(said()) ?? [];
    if (match === undefined && child.exitCode !== null)
      throw new Error(`the process ended with ${String(child.exitCode)}: ${said()}`);
    return match;
  }, ms);
}

const effects = (): readonly string[] =>
  readFileSync(file('ledger.txt'), 'utf8').trim().split('\n').filter(Boolean);

/** Waits until so many bodies more have had their effect; each fifth process is killed while it begins. */
async function untilItIsTime(draining: Draining, at: number): Promise<void> {
  if (at % 5 === 4) {
    await delay(Math.random() * 400);
    return;
  }
  await untilSaid(draining, /opened/, PATIENCE_MS);
  const before = effects().length;
  const enough = EFFECTS_BETWEEN.least + Math.random() * EFFECTS_BETWEEN.more;
  await until(async () => (effects().length - before >= enough ? true : undefined), PATIENCE_MS);
  // Not only at the moments at which this looks.
  await delay(Math.random() * 30);
}

/** What a tool of somebody else sees in a database. */
function look(database: string): {
  readonly integrity: unknown;
  readonly halves: readonly unknown[];
  readonly completed: number;
} {
  const db = new Sqlite(database, { readonly: true, fileMustExist: true });
  try {
    const all = (sql: string): readonly unknown[] => db.prepare(sql).pluck().all();
    return {
      integrity: db.pragma('integrity_check', { simple: true }),
      halves: HALVES.flatMap(all),
      completed: Number(all('select coalesce(max(completed), 0) from millrace_runs')[0]),
    };
  } finally {
    db.close();
  }
}

/**
 * Effects that were had more than once, and what is wrong with them: only bodies of the group that was not written when the
 * process was killed are begun again.
 */
function repeated(lines: readonly string[]): {
  readonly count: number;
  readonly wrong: readonly string[];
} {
  const last = new Map(lines.map((line, at) => [line, at]));
  const kills = lines.flatMap((line, at) => (line.startsWith('kill') ? [at] : []));
  const repeats = [...lines.entries()].filter(
    ([at, line]) => !line.startsWith('kill') && last.get(line) !== at,
  );
  const wrong = repeats.filter(([at]) => {
    const killed = kills.find((place) => place > at);
    return killed === undefined || killed - at > CONCURRENCY + GROUP;
  });
  return {
    count: repeats.length,
    wrong: wrong.map(([at, line]) => `${line} (line ${String(at)})`),
  };
}

describe('a process that drains a store and is killed time after time', () => {
  it('has every record worked on as a whole, once; only uncommitted groups are begun again', async () => {
    const store = ordersIn(file('store'));
    await store.transaction(() => {
      for (let n = 0; n < ORDERS; n += 1)
        store.order.create({ account_id: store.account.create({}).id });
    });
    store.close();
    writeFileSync(file('ledger.txt'), '');
    const began = performance.now();
    let before = 0;
    for (let at = 0; at < KILLS; at += 1) {
      const draining = start();
      await untilItIsTime(draining, at);
      await kill(draining.child);
      expect(draining.said()).not.toContain('done');
      appendFileSync(file('ledger.txt'), `kill ${String(at)}\n`);
      const { integrity, halves, completed } = look(file('store/db.sqlite3'));
      expect({ integrity, halves }).toEqual({ integrity: 'ok', halves: [] });
      // What was committed stays.
      expect(completed).toBeGreaterThanOrEqual(before);
      expect(completed).toBeLessThan(2 * ORDERS);
      before = completed;
    }
    const draining = start();
    const [, told = ''] = (await untilSaid(draining, /done .*/, 300_000)).split('done ');
    const { counts, warnings } = JSON.parse(told) as { counts: unknown; warnings: unknown };
    expect({ counts, warnings }).toEqual({
      counts: { completed: 2 * ORDERS, failed: 0 },
      warnings: [],
    });

    expect(look(file('store/db.sqlite3'))).toEqual({
      integrity: 'ok',
      halves: [],
      completed: 2 * ORDERS,
    });
    const done = ordersIn(file('store'));
    expect(done.order.where({ isSplit: false }).count()).toBe(0);
    expect(done.parcel.where({ isPacked: true }).count()).toBe(ORDERS);
    const versions = done.versions.map(({ info }) => info);
    done.close();
    expect(versions.length).toBeGreaterThan(1);
    for (const { file: database } of versions)
      expect(look(database)).toMatchObject({ integrity: 'ok', halves: [] });
    // Nothing half is left of those that were being made.
    expect(readdirSync(file('store/versions')).sort()).toEqual(
      versions.map(({ id }) => `${id}.sqlite3`).sort(),
    );

    const lines = effects();
    const { count, wrong } = repeated(lines);
    tell('record kill', {
      kills: KILLS,
      records: 2 * ORDERS,
      'effects repeated': count,
      seconds: Math.round((performance.now() - began) / 1_000),
    });
    expect(wrong).toEqual([]);
    expect(count).toBeLessThanOrEqual(KILLS * (CONCURRENCY + GROUP));
    expect(new Set(lines.filter((line) => !line.startsWith('kill'))).size).toBe(2 * ORDERS);
  });
});
