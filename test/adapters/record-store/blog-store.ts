import { z } from 'zod';
import { defineStore, record } from '../../../adapters/record-store/index.js';
import type { Migrations } from '../../../src/record-store/migration.js';
import type { VersionPolicy } from '../../../src/record-store/store.js';

/** What differs between the stores of tests. */
export interface BlogOptions {
  readonly migrations?: Migrations;
  readonly versions?: VersionPolicy;
}

/** Authors with their posts: associations both ways, methods, defaults, columns of every kind. */
export function blogIn(dir: string, options: BlogOptions = {}) {
  return defineStore({
    dir,
    ...options,
    records: {
      author: record({
        table: 'authors',
        columns: { name: z.string().min(1), age: z.number().int().nullable().default(null) },
        methods: {
          shout() {
            return this.name.toUpperCase();
          },
          isAdult() {
            return (this.age ?? 0) >= 18;
          },
        },
        hasMany: { posts: { record: 'post', foreignKey: 'author_id' } },
      }),
      post: record({
        table: 'posts',
        columns: {
          title: z.string(),
          author_id: z.number().int(),
          tags: z.array(z.string()).default([]),
          published: z.boolean().default(false),
          at: z.date().optional(),
          views: z.bigint().default(0n),
          score: z.number().default(0),
        },
        validates: ({ published, title }) =>
          published && title === '' ? 'a published post needs a title' : undefined,
        belongsTo: { author: { record: 'author', foreignKey: 'author_id' } },
      }),
    },
  });
}
