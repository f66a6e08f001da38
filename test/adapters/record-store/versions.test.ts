import { copyFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { blogIn } from './blog-store.js';

describe('versions of a record store', () => {
  const folder = useTemporaryDirectory();

  it('come with each outermost transaction, and have the same records, methods and associations', async () => {
    const store = blogIn(folder.path);
    const author = await store.transaction(() => store.author.create({ name: 'Jane' }));
    await store.transaction(() => store.post.create({ title: 'First', author_id: author.id }));
    await store.transaction(async () => {
      await store.transaction(() => store.post.create({ title: '2', author_id: author.id }));
    });
    expect(store.versions.map((version) => version.author.find(author.id).posts.count())).toEqual([
      0, 1, 2,
    ]);
    expect(store.versions[1]?.post.first()?.author?.shout()).toBe('JANE');
    expect(store.versions[1]?.info).toMatchObject({
      reason: 'transaction',
      counts: { author: 1, post: 1 },
    });
    expect(() => store.versions[0]?.author.first()?.update({ name: 'x' })).toThrow(
      /can only be read\. Restore it to go on from it\./,
    );
    store.close();
  });

  it('are complete databases that any tool opens', async () => {
    const store = blogIn(folder.path);
    await store.transaction(() => store.author.create({ name: 'Jane' }));
    store.close();
    const [file = ''] = readdirSync(join(folder.path, 'versions'));
    const copy = join(folder.path, 'elsewhere.db');
    copyFileSync(join(folder.path, 'versions', file), copy);
    const db = new Sqlite(copy, { readonly: true });
    expect(db.prepare('select name from authors').pluck().all()).toEqual(['Jane']);
    db.close();
  });

  it('can be gone back to, and what that replaces is a version, too', async () => {
    const store = blogIn(folder.path);
    await store.transaction(() => store.author.create({ name: 'Ann' }));
    await store.transaction(() => {
      store.author.first()?.update({ name: 'Bea' });
      store.author.create({ name: 'Cid' });
    });
    const [first] = store.versions;
    if (first === undefined) throw new Error('no version');
    const replaced = await store.restore(first);
    expect(store.author.pluck('name')).toEqual(['Ann']);
    expect(replaced.info.reason).toBe('before_restore');
    expect(replaced.author.pluck('name')).toEqual(['Bea', 'Cid']);
    await store.restore(replaced);
    expect(store.author.pluck('name')).toEqual(['Bea', 'Cid']);
    expect(store.versions).toHaveLength(4);
    store.close();
  });

  it('are seen by another process that has the store open', async () => {
    const [store, other] = [blogIn(folder.path), blogIn(folder.path)];
    await store.transaction(() => store.author.create({ name: 'Ann' }));
    expect(other.author.pluck('name')).toEqual(['Ann']);
    await store.transaction(() => store.author.first()?.update({ name: 'Bea' }));
    const [first] = store.versions;
    if (first === undefined) throw new Error('no version');
    await store.restore(first);
    expect(other.author.pluck('name')).toEqual(['Ann']);
    other.author.create({ name: 'Cid' });
    expect(store.author.pluck('name')).toEqual(['Ann', 'Cid']);
    other.close();
    store.close();
  });

  it('tell what differs between two of them, or from now', async () => {
    const store = blogIn(folder.path);
    await store.transaction(() => {
      store.author.create({ name: 'Ann' });
      store.author.create({ name: 'Gil' });
    });
    await store.transaction(() => {
      store.author.find(1).update({ name: 'Bea' });
      store.author.find(2).delete();
      store.author.create({ name: 'Cid' });
    });
    const [first, second] = store.versions;
    if (first === undefined || second === undefined) throw new Error('no versions');
    const author = {
      added: 1,
      removed: 1,
      changed: 1,
      changes: [
        { id: 1, before: { name: 'Ann', age: null }, after: { name: 'Bea', age: null } },
        { id: 2, before: { name: 'Gil', age: null }, after: undefined },
        { id: 3, before: undefined, after: { name: 'Cid', age: null } },
      ],
    };
    const post = { added: 0, removed: 0, changed: 0, changes: [] };
    expect(store.diff(first)).toEqual({ author, post });
    expect(store.diff(first, second)).toEqual({ author, post });
    expect(store.diff(first, second, { limit: 1 }).author?.changes).toHaveLength(1);
    expect(store.diff(second)).toEqual({ author: { ...post }, post });
    store.close();
  });

  it('are kept up to a number and to so many bytes, but for the newest and what was last replaced', async () => {
    const store = blogIn(folder.path, { versions: { keep: 3 } });
    await store.transaction(() => store.author.create({ name: '0' }));
    const [oldest] = store.versions;
    if (oldest === undefined) throw new Error('no version');
    const replaced = await store.restore(oldest);
    for (const name of ['1', '2', '3', '4'])
      await store.transaction(() => store.author.create({ name }));
    const kept = store.versions.map(({ info }) => info.id);
    expect(kept).toHaveLength(3);
    expect(kept).toContain(replaced.info.id);
    store.close();

    const { size } = statSync(join(folder.path, 'db.sqlite3'));
    const small = blogIn(folder.path, { versions: { keepBytes: size } });
    await small.transaction(() => small.author.create({ name: '5' }));
    expect(small.versions.map(({ info }) => info.reason)).toEqual([
      'before_restore',
      'transaction',
    ]);
    small.close();
  });

  it('can be done without', async () => {
    const store = blogIn(folder.path, { versions: { afterTransactions: false } });
    await store.transaction(() => store.author.create({ name: 'Ann' }));
    expect(store.versions).toEqual([]);
    const version = await store.snapshot();
    expect(version.author.count()).toBe(1);
    store.close();
  });
});
