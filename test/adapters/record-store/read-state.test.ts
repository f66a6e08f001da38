import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { coreOf } from '../../../adapters/record-store/define-store.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { blogIn } from './blog-store.js';

/** Where writing one row may change others. */
const NOT_ISOLATED = [
  [
    'a trigger',
    'create trigger one after update on posts begin update authors set age = 1 where id = new.author_id; end',
  ],
  [
    'an action of a foreign key',
    'create table likes (id integer primary key, post integer references posts (id) on delete cascade)',
  ],
  [
    'a constraint that has a row take the place of others',
    'create table tags (id integer primary key, name text unique on conflict replace)',
  ],
] as const;

describe('when rows were read', () => {
  const folder = useTemporaryDirectory();

  it('says something about them while nobody else has written', () => {
    const store = blogIn(folder.path);
    const { live } = coreOf(store);
    const before = live.readState();
    expect(before).toBeDefined();
    store.author.create({ name: 'Ann' });
    expect(live.readState()?.dataVersion).toBe(before?.dataVersion);
    const tool = new Sqlite(join(folder.path, 'db.sqlite3'));
    tool.exec("update authors set name = 'Eve'");
    tool.close();
    expect(live.readState()?.dataVersion).not.toBe(before?.dataVersion);
    store.close();
  });

  it.each(NOT_ISOLATED)('says nothing about them with %s, whoever made it', (_, text) => {
    const store = blogIn(folder.path);
    const { live } = coreOf(store);
    expect(live.readState()).toBeDefined();
    const tool = new Sqlite(join(folder.path, 'db.sqlite3'));
    tool.exec(text);
    tool.close();
    expect(live.readState()).toBeUndefined();
    store.close();
  });

  it('says something about them with foreign keys that only refuse', () => {
    const store = blogIn(folder.path, {
      migrations: {
        likes: {
          sql: 'create table likes (id integer primary key, post integer references posts (id) on delete restrict)',
        },
      },
    });
    expect(coreOf(store).live.readState()).toBeDefined();
    store.close();
  });
});
