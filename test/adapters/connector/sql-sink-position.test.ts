import { afterEach, describe, expect, it, jest } from '@jest/globals';
import Database from 'better-sqlite3';
import { join } from 'node:path';
import { sqlSink as definition } from '../../../adapters/connector/sql/sql-sink.js';
import { FenceLost } from '../../../src/data-flow/position.js';
import type { OpenSink, SinkConnector } from '../../../src/data-flow/sink.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { BEGINNING, batch, opened, type Opening } from './writing.js';

const sqlSink: SinkConnector = definition;
const folder = useTemporaryDirectory();
const open: (OpenSink | Database.Database)[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.close?.();
});

function database(): Database.Database {
  const db = new Database(join(folder.path, 'out.db'));
  open.push(db);
  return db;
}

const OPTIONS = { database: 'sqlite:out.db', table: 'people', key: ['id'] };

async function sink(options: object, how: Opening = {}) {
  const one = await opened(sqlSink, { ...OPTIONS, ...options }, { dir: folder.path, ...how });
  open.push(one);
  return one;
}

function content(table = 'people'): unknown[] {
  return database().prepare(`SELECT * FROM "${table}"`).all();
}

const row = (number: number) => ({ id: number, name: `naïve ${number}`, score: number / 2 });

describe('the position that the sql sink keeps', () => {
  const KEPT = { create: true, keepPosition: true };

  it('moves with the rows or not at all', async () => {
    const one = await sink(KEPT);
    await expect(one.write(batch([row(1)]))).rejects.toThrow(FenceLost);
    await one.takeOver?.(BEGINNING);
    await one.write(batch([row(1)]));
    await expect(one.write(batch([row(2)], 0))).rejects.toThrow(FenceLost);
    await expect(one.write(batch([row(2), { name: 1 }], 1))).rejects.toMatchObject({
      name: 'RowsRefused',
    });
    expect(content()).toEqual([row(1)]);
    expect(content('millrace_positions')).toMatchObject([
      { flow: 'test', sink: 'people', run_seq: 1, step: 1 },
    ]);
  });

  it('of the sink counts unless a later run has moved the flow', async () => {
    const one = await sink(KEPT);
    await one.takeOver?.(BEGINNING);
    await one.write(batch([row(1)]));
    const behind = { ...BEGINNING, runSeq: 1, counts: { ...BEGINNING.counts, read: 7 } };
    const second = await sink(KEPT, { runSeq: 2 });
    expect(await second.takeOver?.(behind)).toEqual({
      ...BEGINNING,
      runSeq: 2,
      step: 1,
      cursor: 1,
      counts: behind.counts,
    });
    const third = await sink(KEPT, { runSeq: 4 });
    const reset = { ...BEGINNING, runSeq: 3 };
    expect(await third.takeOver?.(reset)).toEqual({ ...reset, runSeq: 4, step: 1 });
    await expect(second.takeOver?.(behind)).rejects.toThrow(FenceLost);
  });

  it('of another catalog does not count, and is written over with a warning', async () => {
    const before = await sink(KEPT, { runSeq: 9 });
    await before.takeOver?.(BEGINNING);
    await before.write(batch([row(1)], 0, 9));
    const warn = jest.fn();
    const fresh = await sink(KEPT, { flowId: 'catalog-b', warn });
    expect(await fresh.takeOver?.(BEGINNING)).toEqual({ ...BEGINNING, runSeq: 1 });
    expect(warn.mock.calls).toEqual([
      [
        { flow: 'test', table: 'people', before: 'catalog-a' },
        expect.stringContaining('filled from another catalog'),
      ],
    ]);
    await expect(before.write(batch([row(2)], 1, 9))).rejects.toThrow(FenceLost);
    await fresh.write(batch([row(3)]));
    const later = await sink(KEPT, { flowId: 'catalog-b', runSeq: 2, warn });
    expect(await later.takeOver?.(BEGINNING)).toMatchObject({ step: 1, cursor: 1 });
    expect(warn).toHaveBeenCalledTimes(1);
    expect(content()).toEqual([row(1), row(3)]);
  });

  it('is kept in tables from before there were catalogs in it', async () => {
    database().exec(
      `CREATE TABLE millrace_positions (flow text NOT NULL, sink text NOT NULL, run_seq bigint NOT NULL, step bigint NOT NULL,
         position text NOT NULL, updated_at text NOT NULL, PRIMARY KEY (flow, sink))`,
    );
    const stored = JSON.stringify({ ...BEGINNING, runSeq: 1, step: 3, cursor: 3 });
    database()
      .prepare("INSERT INTO millrace_positions VALUES ('test', 'people', 1, 3, ?, '')")
      .run(stored);
    const one = await sink(KEPT);
    expect(await one.takeOver?.(BEGINNING)).toMatchObject({ step: 3, cursor: 3 });
    await one.write(batch([row(1)], 3));
    expect(content('millrace_positions')).toMatchObject([{ flow_id: 'catalog-a', step: 4 }]);
  });

  it('has another step than a catalog that is behind, also one that made a step of its own', async () => {
    const one = await sink(KEPT);
    await one.takeOver?.(BEGINNING);
    await one.write(batch([row(1)]));
    for (const step of [0, 1, 2, 5]) {
      const again = await sink(KEPT);
      const position = await again.takeOver?.({ ...BEGINNING, runSeq: 1, step });
      expect(position).toMatchObject({ cursor: 1 });
      expect(position!.step).toBeGreaterThan(step);
    }
  });
});
