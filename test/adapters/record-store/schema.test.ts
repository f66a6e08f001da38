import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { z } from 'zod';
import { defineStore, record } from '../../../adapters/record-store/index.js';
import type { Migrations } from '../../../src/record-store/migration.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { blogIn } from './blog-store.js';

function usersIn(dir: string, migrations: Migrations = {}, withEmail = false) {
  const columns = { name: z.string(), ...(withEmail && { email: z.string().default('none') }) };
  return defineStore({ dir, migrations, records: { user: record({ table: 'users', columns }) } });
}

const ADD_EMAIL = { 'add email': { addColumns: { user: ['email'] } } };
const AUDIT = { 'audit log': { sql: 'create table audit (action text)' } };

describe('the tables of a record store', () => {
  const folder = useTemporaryDirectory();
  const file = (): string => join(folder.path, 'db.sqlite3');

  const inFile = (sql: string): unknown[] => {
    const db = new Sqlite(file());
    try {
      return db.prepare(sql).pluck().all();
    } finally {
      db.close();
    }
  };

  it('are made first, then changed by migrations, each once and by its name', () => {
    usersIn(folder.path).user.create({ name: 'Ann' });
    const second = usersIn(folder.path, { ...AUDIT, ...ADD_EMAIL }, true);
    expect(second.user.first()?.toJSON()).toEqual({ id: 1, name: 'Ann', email: 'none' });
    second.close();
    const ran = inFile('select name from millrace_migrations order by rowid');
    expect(ran).toEqual(['table users', 'audit log', 'add email']);
    // One in the middle of the list is run after those that have run.
    const third = usersIn(
      folder.path,
      { ...AUDIT, 'note it': { sql: "insert into audit values ('noted')" }, ...ADD_EMAIL },
      true,
    );
    expect(third.user.count()).toBe(1);
    third.close();
    usersIn(
      folder.path,
      { ...AUDIT, 'note it': { sql: "insert into audit values ('noted')" }, ...ADD_EMAIL },
      true,
    ).user.count();
    expect(inFile('select count(*) from audit')).toEqual([1]);
  });

  it('are the same for a new store and for one that has grown', () => {
    usersIn(folder.path).user.count();
    usersIn(folder.path, ADD_EMAIL, true).user.count();
    const grown = inFile("select sql from sqlite_schema where name = 'users'");
    rmSync(folder.path, { recursive: true });
    mkdirSync(folder.path);
    usersIn(folder.path, ADD_EMAIL, true).user.count();
    expect(inFile("select sql from sqlite_schema where name = 'users'")).toEqual(grown);
  });

  it('are not touched where a migration that has run was changed', () => {
    usersIn(folder.path, AUDIT).user.count();
    const changed = { 'audit log': { sql: 'create table audit (action text, who text)' } };
    expect(() => usersIn(folder.path, changed).user.count()).toThrow(
      /db\.sqlite3: the migration "audit log" ran on .* and was changed since\. It is not run again/,
    );
    // Other line breaks are no change.
    usersIn(folder.path, {
      'audit log': { sql: 'create table\n  audit (action text)' },
    }).user.count();
  });

  it('are not touched by code that lacks a migration which has run', () => {
    usersIn(folder.path, AUDIT).user.count();
    expect(() => usersIn(folder.path).user.count()).toThrow(
      /the migration "audit log" ran on .*, and this code does not have it/,
    );
  });

  it('undo a migration that fails half-way, with all that came with it', () => {
    usersIn(folder.path).user.create({ name: 'Ann' });
    const broken = {
      half: { sql: ['create table half (a text)', 'insert into missing values (1)'] },
    };
    expect(() => usersIn(folder.path, broken).user.count()).toThrow(
      'the migration "half" failed: no such table: missing.',
    );
    expect(inFile("select count(*) from sqlite_schema where name = 'half'")).toEqual([0]);
    expect(usersIn(folder.path).user.count()).toBe(1);
  });

  it('say which migration is missing for a column that came later', () => {
    usersIn(folder.path).user.count();
    expect(() => usersIn(folder.path, {}, true).user.count()).toThrow(
      /table users has no column email, which record "user" has\. .*\{ 'add email': \{ addColumns: \{ user: \['email'\] \} \} \}/,
    );
  });

  it('are shown by versions from before a column as far as they have it', async () => {
    const before = usersIn(folder.path);
    await before.transaction(() => before.user.create({ name: 'Ann' }));
    before.close();
    const after = usersIn(folder.path, ADD_EMAIL, true);
    expect(after.versions[0]?.user.first()?.toJSON()).toEqual({
      id: 1,
      name: 'Ann',
      email: undefined,
    });
    await after.transaction(() => after.user.create({ name: 'Bea' }));
    const [first] = after.versions;
    if (first === undefined) throw new Error('no version');
    await after.restore(first);
    expect(after.user.pluck('name')).toEqual(['Ann']);
    expect(after.user.first()?.toJSON()).toEqual({ id: 1, name: 'Ann', email: 'none' });
    after.close();
  });

  it('are not given a column that would be empty in the records that there are', () => {
    const wrong = defineStore({
      dir: folder.path,
      migrations: { 'add email': { addColumns: { user: ['email', 'note', 'age'] } } },
      records: {
        user: record({
          table: 'users',
          columns: {
            name: z.string(),
            email: z.string(),
            note: z.string().nullable(),
            age: z.number().int().default(0),
          },
        }),
      },
    });
    expect(() => wrong.user.count()).toThrow(
      /^migration "add email": user\.email would be empty in the records that there are\. Give it a default, such as \.default\(…\), or have it take null: \.nullable\(\)\.$/,
    );
    // Whatever is in the store, or whether there is one.
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('are refused with everything that is wrong with them', () => {
    const wrong = defineStore({
      dir: folder.path,
      migrations: { more: { addColumns: { user: ['email'], nobody: ['x'] } } },
      records: {
        user: record({
          table: 'sqlite_users',
          columns: { id: z.string(), 'first name': z.string() },
          hasMany: { pets: { record: 'pet', foreignKey: 'user_id' } },
        }),
        other: record({
          table: 'SQLITE_users',
          columns: { a: z.string() },
          belongsTo: { user: { record: 'user', foreignKey: 'user_id' } },
        }),
      },
    });
    expect(() => wrong.user.count()).toThrow(
      [
        'record "user": its table is called "sqlite_users"',
        'record "user": id is what every record has',
        'record "user": "first name" is no name for a column',
        'record "user": pets leads to "pet", which the store has not. It has: user, other.',
        'record "other": its table is called "SQLITE_users"',
        'record "other": user has the foreign key user_id, which is no column',
        'record "other": its table SQLITE_users is that of "user" already.',
        'migration "more": record "user" has no column email',
        'migration "more": there is no record "nobody".',
      ]
        .map((part) => part.replaceAll(/[.()[\]]/g, '\\$&'))
        .reduce((all, part) => new RegExp(`${all.source}[^]*${part}`), /^/),
    );
  });
});

describe('files of a record store that cannot be used', () => {
  const folder = useTemporaryDirectory();
  const file = (): string => join(folder.path, 'db.sqlite3');

  it('stay as they are when they are no database', () => {
    writeFileSync(file(), 'this is no database, whatever its name says; it is long enough');
    expect(() => blogIn(folder.path).author.count()).toThrow(
      `${file()}: is damaged, or no SQLite database. It is left as it is`,
    );
  });

  it('are not made anew where versions are left of them', async () => {
    const store = blogIn(folder.path);
    await store.transaction(() => store.author.create({ name: 'Ann' }));
    store.close();
    rmSync(file());
    expect(() => blogIn(folder.path).author.count()).toThrow(
      /db\.sqlite3: is missing or empty, though .*versions has a version\. Restore the one to go on from/,
    );
  });

  it('are left to a newer Millrace that has written them', () => {
    blogIn(folder.path).author.count();
    const db = new Sqlite(file());
    db.pragma('user_version = 99');
    db.close();
    expect(() => blogIn(folder.path).author.count()).toThrow(
      /db\.sqlite3: was written by a newer Millrace \(format 99; this one knows 1\)/,
    );
  });

  it('are not replaced by a version that is damaged', async () => {
    const store = blogIn(folder.path);
    await store.transaction(() => store.author.create({ name: 'Ann' }));
    const [version] = store.versions;
    if (version === undefined) throw new Error('no version');
    store.close();
    const bytes = readFileSync(version.info.file);
    bytes.fill(0x5a, 4_096);
    writeFileSync(version.info.file, bytes);
    await expect(store.restore(version.info.id)).rejects.toThrow(/damaged|no version/);
    expect(store.author.pluck('name')).toEqual(['Ann']);
    store.close();
  });
});
