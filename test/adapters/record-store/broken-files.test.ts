import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { blogIn, type BlogOptions } from './blog-store.js';

const folder = useTemporaryDirectory();
const dir = (): string => join(folder.path, 'blog');
const file = (): string => join(dir(), 'db.sqlite3');

const open = (options: BlogOptions = {}): ReturnType<typeof blogIn> => blogIn(dir(), options);

/** A store of so many authors that its tables take many pages, with a version of it. */
async function written(): Promise<string> {
  const store = open();
  await store.transaction(() => {
    for (let n = 0; n < 400; n += 1) store.author.create({ name: `Ann ${'x'.repeat(200)}` });
  });
  const [version] = store.versions;
  store.close();
  return version?.info.file ?? '';
}

/** Writes nonsense over most of a file, and leaves its beginning: it opens. */
function damage(path: string): Buffer {
  const bytes = readFileSync(path);
  bytes.fill(0x5a, bytes.length / 2);
  writeFileSync(path, bytes);
  return bytes;
}

/** An error that names a file. */
function unusable(path: string, says: string): RegExp {
  const text = (part: string): string => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${text(path)}: ${says}`);
}

/** Does something as somebody who is not root, who may do everything. */
function asNobody(act: () => void): void {
  const { geteuid, seteuid } = process;
  if (geteuid?.() !== 0 || seteuid === undefined) {
    act();
    return;
  }
  seteuid(65_534);
  try {
    act();
  } finally {
    seteuid(0);
  }
}

describe('the database of a record store', () => {
  it('that is damaged is told of when it is read, and left as it is', async () => {
    await written();
    const bytes = damage(file());
    const store = open();
    expect(() => store.author.all()).toThrow(unusable(file(), 'is damaged'));
    await expect(store.snapshot()).rejects.toThrow(/no version could be made: is damaged/);
    store.close();
    expect(readFileSync(file()).subarray(8_192)).toEqual(bytes.subarray(8_192));
  });

  it('that is cut short, or empty, is told of and left as it is', async () => {
    await written();
    truncateSync(file(), 8_192);
    expect(() => open().author.count()).toThrow(unusable(file(), 'is damaged'));
    truncateSync(file(), 0);
    expect(() => open().author.count()).toThrow(unusable(file(), 'is missing or empty, though'));
    expect(readFileSync(file())).toHaveLength(0);
  });

  it('that is empty is a new one where there are no versions: nothing was ever in it', () => {
    mkdirSync(dir());
    writeFileSync(file(), '');
    expect(open().author.count()).toBe(0);
  });

  it('that has gone, or was moved away, comes back from a version, and what SQLite has left is kept', async () => {
    await written();
    const store = open();
    expect(store.author.count()).toBe(400);
    store.close();
    rmSync(file());
    writeFileSync(`${file()}-wal`, 'of a database that is no more');
    expect(() => store.author.count()).toThrow(
      unusable(file(), 'is missing or empty, though .*versions has a version\\. Restore'),
    );
    const [version] = store.versions;
    const restored = await store.restore(version?.info.id ?? '');
    expect(restored.info.id).toBe(version?.info.id);
    expect(store.author.count()).toBe(400);
    store.author.create({ name: 'Bea' });
    store.close();
    const kept = readdirSync(dir()).filter((name) => name.includes('lost'));
    expect(kept).toHaveLength(1);
    expect(readFileSync(join(dir(), kept[0] ?? ''), 'utf8')).toBe('of a database that is no more');
  });

  it('that is removed while it is open takes nothing more, and can be restored or begun anew', async () => {
    await written();
    const store = open();
    const author = store.author.find(1);
    rmSync(file());
    const removed = unusable(file(), 'was removed or replaced while it was open');
    expect(() => store.author.create({ name: 'Bea' })).toThrow(removed);
    expect(() => author.update({ name: 'Bea' })).toThrow(removed);
    await store.restore(store.versions[0] ?? '');
    author.update({ name: 'Bea' });
    expect(store.author.where({ name: 'Bea' }).count()).toBe(1);
    rmSync(dir(), { recursive: true });
    await expect(store.transaction(() => author.delete())).rejects.toThrow(removed);
    store.close();
    expect(store.author.count()).toBe(0);
    store.close();
  });

  it('that is of another program is not touched', () => {
    mkdirSync(dir());
    const db = new Sqlite(file());
    db.exec('create table auth_user (name text); create table sessions (key text)');
    db.pragma('user_version = 1');
    db.close();
    const bytes = readFileSync(file());
    expect(() => open().author.count()).toThrow(
      unusable(file(), 'is a database of something else: it has the tables auth_user, sessions\\.'),
    );
    expect(readFileSync(file())).toEqual(bytes);
    expect(readdirSync(dir())).toEqual(['db.sqlite3']);
  });

  it('that may not be written to, or whose folder may not, is told of', async () => {
    await written();
    chmodSync(folder.path, 0o755);
    chmodSync(dir(), 0o555);
    chmodSync(file(), 0o444);
    asNobody(() => {
      expect(() => open().author.count()).toThrow(
        unusable(file(), 'cannot be (?:written to: check who owns it|opened)'),
      );
      expect(() => blogIn(join(dir(), 'deeper')).author.count()).toThrow(
        unusable(join(dir(), 'deeper'), 'cannot be written to: check who owns it and its folder'),
      );
    });
    chmodSync(dir(), 0o755);
  });

  it('is made with its folder where there is none, but not below a file', () => {
    expect(blogIn(join(dir(), 'a', 'b')).author.count()).toBe(0);
    writeFileSync(join(folder.path, 'note'), '');
    const below = join(folder.path, 'note', 'blog');
    expect(() => blogIn(below).author.count()).toThrow(
      unusable(join(below, 'db.sqlite3'), 'cannot be opened: check that'),
    );
  });

  it('is left to later code that has written it: a migration that this code does not have', async () => {
    await written();
    const later = open({
      migrations: { 'find by name': { sql: 'create index n on authors (name)' } },
    });
    expect(later.author.count()).toBe(400);
    later.close();
    const bytes = readFileSync(file());
    expect(() => open().author.count()).toThrow(
      unusable(file(), 'the migration "find by name" ran on .*, and this code does not have it'),
    );
    expect(readFileSync(file())).toEqual(bytes);
  });

  it('that is closed while a transaction goes on has nothing of that', async () => {
    const store = open();
    const ended = store.transaction(async () => {
      store.author.create({ name: 'Ann' });
      await Promise.resolve();
      store.close();
      store.author.create({ name: 'Bea' });
    });
    await expect(ended).rejects.toThrow(unusable(file(), 'was closed while it was used'));
    expect(store.author.count()).toBe(0);
    store.close();
  });
});

describe('a version of a record store', () => {
  it('that is damaged is told of when it is read, compared or restored, and nothing is replaced', async () => {
    const version = await written();
    const store = open();
    const [first] = store.versions;
    if (first === undefined) throw new Error('no version');
    store.author.create({ name: 'Bea' });
    damage(version);
    expect(() => first.author.all()).toThrow(unusable(version, 'is damaged'));
    expect(() => store.diff(first)).toThrow(unusable(version, 'is damaged'));
    const second = await store.snapshot();
    expect(() => store.diff(second, first)).toThrow(unusable(version, 'is damaged'));
    await expect(store.restore(first)).rejects.toThrow(unusable(version, 'is damaged'));
    expect(store.author.count()).toBe(401);
    store.close();
  });

  it('that is none, whatever its name says, is told of by its file', async () => {
    const version = await written();
    writeFileSync(version, 'this is no database');
    const store = open();
    expect(store.versions).toEqual([]);
    const id = version.replace(/^.*\/|\.sqlite3$/g, '');
    const none = unusable(
      version,
      'is damaged, or no version\\. It is left as it is; choose another',
    );
    await expect(store.restore(id)).rejects.toThrow(none);
    expect(() => store.diff(id)).toThrow(none);
    await expect(store.restore('../db')).rejects.toThrow(/has no version "\.\.\/db"/);
    store.close();
  });

  it('that has gone meanwhile is told of', async () => {
    const version = await written();
    const store = open();
    const [first] = store.versions;
    rmSync(version);
    expect(() => first?.author.count()).toThrow(unusable(version, 'cannot be opened'));
    await expect(store.restore(first?.info.id ?? '')).rejects.toThrow(/has no version/);
    store.close();
  });

  it('is made anew with its folder, when that was removed', async () => {
    await written();
    rmSync(join(dir(), 'versions'), { recursive: true });
    const store = open();
    expect(store.versions).toEqual([]);
    await store.snapshot();
    expect(store.versions).toHaveLength(1);
    store.close();
  });

  it('is made by nobody where its folder is a file', async () => {
    mkdirSync(dir());
    writeFileSync(join(dir(), 'versions'), '');
    expect(() => open().author.count()).toThrow(
      unusable(join(dir(), 'versions'), 'cannot be opened: check that it is what it should be'),
    );
  });

  it('that later code has made is not restored by code which does not have its migrations', async () => {
    await written();
    const later = open({
      migrations: { 'find by name': { sql: 'create index n on authors (name)' } },
    });
    const { info } = await later.snapshot();
    await later.restore(later.versions[0] ?? '');
    later.close();
    const db = new Sqlite(file());
    db.exec("delete from millrace_migrations where name like 'find%'; drop index n");
    db.close();
    const store = open();
    await expect(store.restore(info.id)).rejects.toThrow(
      unusable(info.file, 'the migration "find by name" ran on'),
    );
    expect(store.author.count()).toBe(400);
    store.close();
  });

  it('that migrations cannot bring to what the code says is not restored: nothing is replaced', async () => {
    const before = open();
    await before.transaction(() => {
      for (const name of ['Ann', 'Ann']) before.author.create({ name });
    });
    before.author.find(2).update({ name: 'Bea' });
    before.close();
    const store = open({
      migrations: { 'no two of a name': { sql: 'create unique index n on authors (name)' } },
    });
    const [version] = store.versions;
    await expect(store.restore(version?.info.id ?? '')).rejects.toThrow(
      unusable(version?.info.file ?? '', 'the migration "no two of a name" failed: UNIQUE'),
    );
    expect(store.author.pluck('name')).toEqual(['Ann', 'Bea']);
    expect(store.versions).toHaveLength(1);
    expect(readdirSync(join(dir(), 'versions'))).toHaveLength(1);
    store.close();
  });
});
