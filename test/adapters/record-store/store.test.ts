import { describe, expect, it } from '@jest/globals';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { blogIn } from './blog-store.js';

describe('a record store', () => {
  const folder = useTemporaryDirectory();

  it('keeps records with methods and associations both ways', async () => {
    const store = blogIn(folder.path);
    const author = await store.transaction(() => store.author.create({ name: 'Jane' }));
    const post = await store.transaction(() =>
      store.post.create({ title: 'First', author_id: author.id }),
    );
    await store.transaction(() => store.post.create({ title: 'Second', author_id: author.id }));

    expect(author.shout()).toBe('JANE');
    expect(author.isAdult()).toBe(false);
    expect(store.author.find(author.id).posts.count()).toBe(2);
    expect(store.author.find(author.id).posts.first()?.title).toBe('First');
    expect(store.post.find(post.id).author?.name).toBe('Jane');
    store.close();
  });

  it('gives back every kind of value as it was given', () => {
    const store = blogIn(folder.path);
    const values = {
      title: "it's; --",
      author_id: 7,
      tags: ['a', 'b'],
      published: true,
      at: new Date('2026-03-01T12:00:00.123Z'),
      views: 9_007_199_254_740_993n,
      score: 1.5,
    };
    const { id } = store.post.create(values);
    store.close();

    const again = blogIn(folder.path);
    expect(again.post.find(id).toJSON()).toEqual({ id, ...values });
    again.close();
  });

  it('shows the changes of a transaction within it, with the same object for the same record', async () => {
    const store = blogIn(folder.path);
    await store.transaction(() => {
      const author = store.author.create({ name: 'Ann' });
      const post = store.post.create({ title: 'One', author_id: author.id });
      expect(author.posts.count()).toBe(1);
      author.update({ name: 'Anna', age: 30 });
      expect(store.author.where({ name: 'Anna' }).first()).toBe(author);
      expect(post.author).toBe(author);
      post.delete();
      expect(author.posts.exists()).toBe(false);
    });
    expect(store.author.pluck('name')).toEqual(['Anna']);
    expect(store.post.count()).toBe(0);
    store.close();
  });

  it('keeps nothing of a transaction that fails, and of one within another only what came before', async () => {
    const store = blogIn(folder.path);
    await store.transaction(async () => {
      const author = store.author.create({ name: 'Ann' });
      await expect(
        store.transaction(() => {
          author.update({ name: 'Bea' });
          store.author.create({ name: 'Cid' });
          throw new Error('inner');
        }),
      ).rejects.toThrow('inner');
      expect(author.name).toBe('Ann');
      expect(store.author.count()).toBe(1);
    });
    await expect(
      store.transaction(() => {
        store.author.create({ name: 'Dan' });
        throw new Error('outer');
      }),
    ).rejects.toThrow('outer');
    expect(store.author.pluck('name')).toEqual(['Ann']);
    store.close();
  });

  it('begins a transaction again when somebody else has changed what it had read', async () => {
    const store = blogIn(folder.path);
    const { id } = store.author.create({ name: 'Ann', age: 1 });
    const other = blogIn(folder.path);
    let beginnings = 0;
    await store.transaction(() => {
      beginnings += 1;
      const author = store.author.find(id);
      if (beginnings === 1) other.author.find(id).update({ age: 40 });
      author.update({ age: (author.age ?? 0) + 1 });
    });
    expect(beginnings).toBe(2);
    expect(store.author.find(id).age).toBe(41);
    other.close();
    store.close();
  });

  it('refuses a change of a record that somebody else has changed since it was read', () => {
    const store = blogIn(folder.path);
    const author = store.author.create({ name: 'Ann' });
    const other = blogIn(folder.path);
    other.author.find(author.id).update({ name: 'Bea' });
    expect(() => author.update({ name: 'Cid' })).toThrow(
      'author 1 was changed or deleted by somebody else since it was read.',
    );
    expect(author.name).toBe('Ann');
    expect(store.author.find(author.id).name).toBe('Bea');
    other.close();
    store.close();
  });

  it('tells what is wrong with values, where, and keeps nothing of them', () => {
    const store = blogIn(folder.path);
    // @ts-expect-error -- a number is no name
    expect(() => store.author.create({ name: 7 })).toThrow(
      "A new author is not valid: Property 'name' expected string, got number",
    );
    const post = store.post.create({ title: '', author_id: 1 });
    expect(() => post.update({ published: true })).toThrow(
      'post 1 is not valid: a published post needs a title',
    );
    // @ts-expect-error -- there is no such column
    expect(() => post.update({ titel: 'x' })).toThrow(
      /There is no column "titel"; there are title/,
    );
    expect(store.author.count()).toBe(0);
    expect(store.post.find(1).published).toBe(false);
    expect(() => store.author.find(99)).toThrow('There is no author with the id 99.');
    store.close();
  });

  it('gives ids without gaps to who comes one after the other, and no id twice to who comes at once', () => {
    const [one, two] = [blogIn(folder.path), blogIn(folder.path)];
    const ids = [one, two, one, two, one, one, two].map(
      (store) => store.author.create({ name: 'x' }).id,
    );
    expect(new Set(ids).size).toBe(7);
    one.close();
    two.close();
    const again = blogIn(folder.path);
    expect(again.author.create({ name: 'x' }).id).toBe(Math.max(...ids) + 1);
    again.close();
  });
});
