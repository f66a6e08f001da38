import { AsyncResource } from 'node:async_hooks';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { z } from 'zod';
import { coreOf } from '../../../adapters/record-store/define-store.js';
import {
  defineStore,
  record,
  RecordChanged,
  RecordInvalid,
  RecordNotFound,
} from '../../../adapters/record-store/index.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { until } from '../../support/until.js';
import { blogIn } from './blog-store.js';

describe('records that are used in and out of transactions', () => {
  const folder = useTemporaryDirectory();

  it('show what is in the store when a transaction has failed, and go on from there', async () => {
    const store = blogIn(folder.path);
    const author = store.author.create({ name: 'Ann' });
    const failed = store.transaction(() => {
      author.update({ name: 'Bea' });
      store.author.find(1).update({ age: 3 });
      expect(author.toJSON()).toEqual({ id: 1, name: 'Bea', age: 3 });
      throw new Error('on purpose');
    });
    await expect(failed).rejects.toThrow('on purpose');
    expect(author.toJSON()).toEqual({ id: 1, name: 'Ann', age: null });
    author.update({ age: 4 });
    expect(store.author.find(1).toJSON()).toEqual({ id: 1, name: 'Ann', age: 4 });
    store.close();
  });

  it('are one record, however many objects of it there are', async () => {
    const store = blogIn(folder.path);
    store.author.create({ name: 'Ann', age: 1 });
    const [one, two] = [store.author.find(1), store.author.find(1)];
    await store.transaction(() => {
      store.author.find(1).update({ age: 2 });
      one.update({ name: 'Bea' });
      // As it was when it was read, which it is no more.
      two.update({ age: 1 });
      expect([one.age, two.name]).toEqual([1, 'Bea']);
    });
    expect(store.author.find(1).toJSON()).toEqual({ id: 1, name: 'Bea', age: 1 });
    store.close();
  });

  it('are not changed by what shows something else than the transaction has read', async () => {
    const store = blogIn(folder.path);
    const author = store.author.create({ name: 'Ann' });
    const other = blogIn(folder.path);
    other.author.find(1).update({ name: 'Bea' });
    const changed = store.transaction(() => {
      store.author.find(1).update({ age: 1 });
      author.update({ name: 'Cid' });
    });
    await expect(changed).rejects.toBeInstanceOf(RecordChanged);
    expect(store.author.find(1).toJSON()).toEqual({ id: 1, name: 'Bea', age: null });
    other.close();
    store.close();
  });

  it('are no records any more when they were deleted', async () => {
    const store = blogIn(folder.path);
    const author = store.author.create({ name: 'Ann' });
    await store.transaction(() => {
      author.delete();
      expect(() => author.update({ name: 'Bea' })).toThrow(RecordNotFound);
      expect(() => {
        author.delete();
      }).toThrow('There is no author with the id 1.');
    });
    expect(() => author.update({ name: 'Bea' })).toThrow(RecordChanged);
    store.close();
  });

  it('go on, as queries do, when the store was closed and is opened again', async () => {
    const store = blogIn(folder.path);
    const author = await store.transaction(() => store.author.create({ name: 'Ann' }));
    const posts = store.post.where({ author_id: author.id });
    store.close();
    author.update({ name: 'Bea' });
    store.post.create({ title: 'One', author_id: author.id });
    expect(posts.count()).toBe(1);
    expect(author.posts.first()?.author?.name).toBe('Bea');
    store.close();
  });
});

describe('transactions of a record store', () => {
  const folder = useTemporaryDirectory();

  it('within another, at once, take back their own changes alone', async () => {
    const store = blogIn(folder.path);
    const author = store.author.create({ name: 'Ann' });
    await store.transaction(async () => {
      author.update({ age: 1 });
      let isDone = false;
      const fails = store.transaction(async () => {
        author.update({ name: 'Bea' });
        store.author.create({ name: 'of the one that fails' });
        await until(async () => isDone || undefined);
        throw new Error('on purpose');
      });
      await store.transaction(async () => {
        store.author.create({ name: 'Cid' });
        author.update({ age: 2 });
        await store.transaction(() => store.author.create({ name: 'Dan' }));
      });
      isDone = true;
      await expect(fails).rejects.toThrow('on purpose');
      expect(author.toJSON()).toEqual({ id: 1, name: 'Ann', age: 2 });
    });
    expect(store.author.all().map(({ name, age }) => [name, age])).toEqual([
      ['Ann', 2],
      ['Cid', null],
      ['Dan', null],
    ]);
    store.close();
  });

  it('begin again when what they have changed was deleted by somebody else, though they have read it since', async () => {
    const store = blogIn(folder.path);
    store.author.create({ name: 'Ann' });
    const other = blogIn(folder.path);
    let beginnings = 0;
    await store.transaction(() => {
      beginnings += 1;
      const author = store.author.first() ?? store.author.create({ name: 'Bea' });
      author.update({ age: 1 });
      if (beginnings === 1) other.author.find(1).delete();
      // It is nowhere to be changed by now.
      expect(store.author.count()).toBe(1);
    });
    expect(beginnings).toBe(2);
    expect(store.author.pluck('name')).toEqual(['Bea']);
    other.close();
    store.close();
  });

  it('begin again when another tool has taken an id that was set aside', async () => {
    const store = blogIn(folder.path);
    store.author.create({ name: 'Ann' });
    store.author.create({ name: 'Bea' });
    const tool = new Sqlite(join(folder.path, 'db.sqlite3'));
    const take = (id: number): unknown =>
      tool.prepare("insert into authors (id, name) values (?, 'of a tool')").run(id);
    let given: number | undefined;
    await store.transaction(() => {
      const { id } = store.author.create({ name: 'Cid' });
      if (given === undefined) take((given = id));
      expect(store.author.where({ name: 'Cid' }).pluck('id')).toEqual([id]);
    });
    expect(store.author.pluck('name')).toEqual(['Ann', 'Bea', 'of a tool', 'Cid']);
    const { id } = store.author.create({ name: 'Dan' });
    for (let next = id + 1; next < id + 4; next += 1) take(next);
    expect(store.author.create({ name: 'Eve' }).id).toBeGreaterThan(id + 3);
    tool.close();
    store.close();
  });

  it('read what triggers have made of their changes, and are not put off by it', async () => {
    const store = blogIn(folder.path, {
      migrations: {
        'count posts': {
          sql: `create trigger count_posts after insert on posts begin
                  update authors set age = coalesce(age, 0) + 1 where id = new.author_id;
                end`,
        },
      },
    });
    store.author.create({ name: 'Ann' });
    await store.transaction(() => {
      store.post.create({ title: 'One', author_id: 1 });
      expect(store.author.find(1).age).toBe(1);
    });
    expect(store.author.find(1).age).toBe(1);
    store.close();
  });

  it('keep nothing that SQLite has no place for, and say what', () => {
    const store = defineStore({
      dir: folder.path,
      records: {
        thing: record({
          table: 'things',
          columns: { size: z.bigint().default(0n), any: z.any().optional() },
        }),
      },
    });
    expect(() => store.thing.create({ size: 2n ** 63n })).toThrow(
      "A new thing is not valid: Property 'size' is too large a whole number: SQLite keeps those of 64 bits",
    );
    expect(() => store.thing.create({ any: () => 1 })).toThrow(
      "Property 'any' cannot be kept as JSON: it is a function",
    );
    const thing = store.thing.create({ size: 2n ** 63n - 1n });
    expect(() => thing.update({ any: { deep: [1n] } })).toThrow(RecordInvalid);
    expect(() => thing.update({ any: { deep: [1n] } })).toThrow(
      /Property 'any' cannot be kept as JSON: .*BigInt/,
    );
    expect(store.thing.find(thing.id).size).toBe(2n ** 63n - 1n);
    store.close();
  });
});

describe('versions that are made and restored beside others', () => {
  const folder = useTemporaryDirectory();

  it('have names of their own, however many are made at once', async () => {
    const store = blogIn(folder.path);
    const other = blogIn(folder.path);
    store.author.create({ name: 'Ann' });
    const made = await Promise.all(
      Array.from({ length: 12 }, (_, at) => (at % 2 === 0 ? store : other).snapshot()),
    );
    expect(new Set(made.map(({ info }) => info.id)).size).toBe(12);
    expect(store.versions).toHaveLength(12);
    other.close();
    store.close();
  });

  it('can be restored though they are the next to go', async () => {
    const store = blogIn(folder.path, { versions: { keep: 3 } });
    for (const name of ['Ann', 'Bea', 'Cid'])
      await store.transaction(() => store.author.create({ name }));
    await store.restore(store.versions[0] ?? '');
    expect(store.author.pluck('name')).toEqual(['Ann']);
    expect(store.versions).toHaveLength(3);
    store.close();
  });

  it('do not bring back ids that were given since, nor runs that are over', async () => {
    const store = blogIn(folder.path);
    const { runs, dir } = coreOf(store);
    runs.begin({ id: 'run-1', pipeline: 'read', workflowId: 'w' }, dir, new Date());
    store.author.create({ name: 'Ann' });
    const during = await store.snapshot();
    const { id } = store.author.create({ name: 'Bea' });
    const failure = { step: 'read', record: 'author', recordId: id, name: 'Error', message: 'no' };
    runs.fail('run-1', { ...failure, at: new Date().toISOString() });
    runs.end('run-1', 'failed', new Date());
    await store.restore(during);
    expect(runs.active()).toBeUndefined();
    expect(runs.find('run-1')?.status).toBe('failed');
    expect(runs.failures('run-1', 10)).toMatchObject([failure]);
    expect(store.author.create({ name: 'Cid' }).id).toBeGreaterThan(id);
    const version = new Sqlite(during.info.file, { readonly: true });
    expect(version.prepare('select status from millrace_runs').pluck().all()).toEqual([
      'interrupted',
    ]);
    version.close();
    store.close();
  });

  it('are not restored within a transaction', async () => {
    const store = blogIn(folder.path);
    await store.transaction(() => store.author.create({ name: 'Ann' }));
    const within = store.transaction(async () => {
      store.author.create({ name: 'Bea' });
      await store.restore(store.versions[0] ?? '');
    });
    await expect(within).rejects.toThrow(/is not restored within a transaction or a body/);
    expect(store.author.pluck('name')).toEqual(['Ann']);
    store.close();
  });

  it('take a transaction with them that was going on: it begins again', async () => {
    const store = blogIn(folder.path);
    await store.transaction(() => store.author.create({ name: 'Ann' }));
    store.author.find(1).update({ age: 40 });
    let beginnings = 0;
    await store.transaction(async () => {
      beginnings += 1;
      const author = store.author.find(1);
      const age = author.age ?? 0;
      if (beginnings === 1) await beside(() => store.restore(store.versions[0] ?? ''));
      author.update({ age: age + 1 });
    });
    expect(beginnings).toBe(2);
    expect(store.author.find(1).age).toBe(1);
    store.close();
  });
});

/** Does something outside of the transaction that this is called in. */
async function beside(act: () => Promise<unknown>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    outside(() => {
      act().then(() => {
        resolve();
      }, reject);
    });
  });
}

const outside = AsyncResource.bind((act: () => void) => {
  act();
});
