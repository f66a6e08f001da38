import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineStore, record } from '../../adapters/record-store/index.js';
import type { ConfigDefinition } from '../../src/config/config.js';
import { defineRecordPipeline, step } from '../../src/record-pipeline/record-pipeline.js';
import { post, send, useServers, type Answer } from '../support/http-api.js';
import { greeting, useRecordStacks, usersIn, type Gate } from '../support/record-stack.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';

const folder = useTemporaryDirectory();
const serve = useServers();
const start = useRecordStacks();

type Store = ReturnType<typeof usersIn>;

const OPEN: ConfigDefinition = {};
const GUARDED: ConfigDefinition = { apiAuthentication: (ctx) => ctx.get('x-user') };

describe('the store of a record pipeline, over HTTP', () => {
  const stores: Store[] = [];
  afterEach(() => {
    for (const store of stores.splice(0)) store.close();
  });

  async function served(
    names: readonly string[],
    { config = OPEN, gate }: { readonly config?: ConfigDefinition; readonly gate?: Gate } = {},
  ) {
    const store = usersIn(folder.path, names);
    stores.push(store);
    const { engine } = await start(greeting(store, gate));
    const { url } = await serve(engine, config);
    return { store, url: `${url}/record_pipelines/greeting` };
  }

  describe('records', () => {
    const where = (url: string, conditions: unknown): Promise<Answer> =>
      send(`${url}/records/user?where=${encodeURIComponent(JSON.stringify(conditions))}`);

    it('are told page by page, as JSON', async () => {
      const { store, url } = await served(['Ann', 'Bea', 'Cid']);
      store.user.find(1).update({
        age: 41,
        born: new Date('1985-04-12T00:00:00Z'),
        account: 9_007_199_254_740_993n,
        tags: ['a', 'b'],
      });
      const first = await send(`${url}/records/user?limit=2`);
      expect(first.body).toEqual({
        records: [
          {
            id: 1,
            name: 'Ann',
            age: 41,
            email: null,
            greeted: false,
            born: '1985-04-12T00:00:00.000Z',
            account: '9007199254740993',
            tags: ['a', 'b'],
          },
          expect.objectContaining({ id: 2, name: 'Bea', born: null, account: '0', tags: [] }),
        ],
        truncated: [],
        next_after: 2,
      });
      expect((await send(`${url}/records/user?limit=2&after=2`)).body).toMatchObject({
        records: [{ id: 3 }],
      });
      expect((await send(`${url}/records/note`)).body).toEqual({ records: [], truncated: [] });
    });

    it('are chosen with the operators of code', async () => {
      const { store, url } = await served(['Ann', 'Bea', 'Cid']);
      store.user.find(1).update({ age: 41, born: new Date('1985-04-12'), account: 5n });
      store.user.find(2).update({ age: 17, email: 'bea@example.com', tags: ['x'] });
      const chosen = async (conditions: object): Promise<readonly unknown[]> => {
        const { status, body } = await where(url, conditions);
        expect([conditions, status, body['violations']]).toEqual([conditions, 200, undefined]);
        return (body['records'] as readonly { readonly id: number }[]).map(({ id }) => id);
      };
      expect(await chosen({ age: { gte: 17, lt: 41 } })).toEqual([2]);
      expect(await chosen({ name: ['Ann', 'Cid'] })).toEqual([1, 3]);
      expect(await chosen({ name: { like: '%e%' } })).toEqual([2]);
      expect(await chosen({ name: { not: ['Ann'] }, greeted: false })).toEqual([2, 3]);
      expect(await chosen({ email: null })).toEqual([1, 3]);
      expect(await chosen({ email: { not: null } })).toEqual([2]);
      expect(await chosen({ born: { lt: '1990-01-01T00:00:00Z' } })).toEqual([1]);
      expect(await chosen({ account: '5' })).toEqual([1]);
      expect(await chosen({ account: { in: [5, 6] } })).toEqual([1]);
      expect(await chosen({ tags: ['x'] })).toEqual([]);
      expect(await chosen({ id: { gt: 1 } })).toEqual([2, 3]);
      expect(await chosen({})).toEqual([1, 2, 3]);
    });

    it('are refused for conditions that are none, with the path of each thing that is wrong', async () => {
      const { url } = await served(['Ann']);
      const violations = async (conditions: object): Promise<unknown> => {
        const { status, body } = await where(url, conditions);
        expect([status, body['type']]).toEqual([422, 'contract_violation']);
        return body['violations'];
      };
      expect(await violations({ nam: 'Ann', age: 'old', greeted: { eq: 1 } })).toEqual([
        {
          path: 'where.nam',
          got: 'string',
          message: 'Property \'where.nam\' is no column of user. Did you mean "name"?',
        },
        {
          path: 'where.age',
          expected: 'number',
          got: 'string',
          message: "Property 'where.age' expected number, got string",
        },
        {
          path: 'where.greeted.eq',
          expected: 'boolean',
          got: 'number',
          message: "Property 'where.greeted.eq' expected boolean, got number",
        },
      ]);
      expect(await violations({ age: { above: 1 } })).toMatchObject([
        { path: 'where.age', message: expect.stringContaining('operator "above"') },
      ]);
      expect(await violations({ age: { gt: null } })).toMatchObject([{ path: 'where.age' }]);
      expect(await violations({ age: { in: 1 } })).toMatchObject([{ path: 'where.age.in' }]);
      expect(await violations({ age: { like: '1%' } })).toMatchObject([{ path: 'where.age.like' }]);
      expect(await violations({ born: 'soon' })).toMatchObject([{ path: 'where.born' }]);
      expect(await violations({ account: '1.5' })).toMatchObject([{ path: 'where.account' }]);
      expect(await violations({ name: ['Ann', 7] })).toMatchObject([{ path: 'where.name[1]' }]);
      for (const wrong of ['[1]', '{', '7'])
        expect((await send(`${url}/records/user?where=${wrong}`)).body).toMatchObject({
          type: 'invalid_request',
          error: 'where must be a JSON object such as {"age":{"gte":18}}.',
        });
      expect((await send(`${url}/records/user?limit=101`)).status).toBe(400);
      const unknown = await send(`${url}/records/users`);
      expect([unknown.status, unknown.body['error']]).toEqual([
        404,
        'The store has no record type "users". Did you mean "user"?',
      ]);
    });

    it('are cut where they are too large for an answer, which says so', async () => {
      const { store, url } = await served([]);
      await store.transaction(() => {
        for (let at = 0; at < 60; at += 1) store.note.create({ text: '€'.repeat(10_000) });
        store.user.create({ name: 'Ann', tags: Array.from({ length: 5_000 }, () => 'tag') });
      });
      const { body } = await send(`${url}/records/note?limit=100`);
      const records = body['records'] as readonly { readonly id: number; readonly text: string }[];
      expect(records[0]?.text).toBe('€'.repeat(4_000));
      expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThan(1024 * 1024);
      expect(body['truncated']).toHaveLength(records.length);
      expect(body['truncated']).toContainEqual({ id: 1, column: 'text', characters: 10_000 });
      expect(body['next_after']).toBe(records.at(-1)?.id);
      const rest = await send(`${url}/records/note?limit=100&after=${String(records.length)}`);
      expect(records.length + (rest.body['records'] as readonly unknown[]).length).toBe(60);
      const { body: users } = await send(`${url}/records/user`);
      expect(users).toMatchObject({
        records: [{ tags: expect.stringMatching(/^\["tag","tag",/) }],
        truncated: [{ id: 1, column: 'tags', characters: 30_001 }],
      });
    });

    it('are told while a run goes on, as they are then', async () => {
      const gate: Gate = { isOpen: false, failing: new Set() };
      const { url } = await served(['Ann'], { gate });
      const greeted = async (): Promise<unknown> => {
        const { body } = await send(`${url}/records/user`);
        return (body['records'] as readonly { readonly greeted: boolean }[])[0]?.greeted;
      };
      await post(`${url}/run`);
      expect(await greeted()).toBe(false);
      gate.isOpen = true;
      await until(async () => ((await greeted()) === true ? true : undefined));
    });
  });

  it('that cannot be used says so, with the file and what to do', async () => {
    writeFileSync(join(folder.path, 'db.sqlite3'), 'no database, but a text'.repeat(100));
    const store = defineStore({
      dir: folder.path,
      records: { user: record({ table: 'users', columns: { name: z.string() } }) },
    });
    const { engine } = await start(
      defineRecordPipeline(store, {
        name: 'greeting',
        steps: [step({ label: 'greet', records: (s) => s.user, each: () => undefined })],
      }),
    );
    const { url } = await serve(engine);
    const error = expect.stringMatching(/db\.sqlite3: is damaged, or no SQLite database/);
    const answer = await send(`${url}/record_pipelines/greeting/versions`);
    expect([answer.status, answer.body]).toMatchObject([500, { type: 'store_unusable', error }]);
    expect((await send(`${url}/record_pipelines/greeting`)).body).toMatchObject({
      name: 'greeting',
      store: { reachable: false, error: { type: 'StoreUnusable', message: error } },
    });
  });

  describe('versions', () => {
    it('are made, listed page by page, looked into and compared', async () => {
      const { store, url } = await served(['Ann', 'Bea']);
      const made = await post(`${url}/versions`);
      const first = made.body['version'] as { readonly id: string };
      expect([made.status, made.headers.get('location')]).toEqual([
        201,
        `/record_pipelines/greeting/versions/${first.id}`,
      ]);
      expect(first).toEqual({
        id: expect.stringMatching(/^20\d\d-/),
        created_at: expect.any(String),
        reason: 'asked',
        run: null,
        step: null,
        counts: { user: 2, note: 0 },
        bytes: expect.any(Number),
        file: expect.stringMatching(/versions\/.*\.sqlite3$/),
        links: {
          self: `/record_pipelines/greeting/versions/${first.id}`,
          restore: `/record_pipelines/greeting/versions/${first.id}/restore`,
          diff: `/record_pipelines/greeting/diff?before=${first.id}`,
        },
      });
      expect(existsSync((first as unknown as { readonly file: string }).file)).toBe(true);
      store.user.find(1).update({ name: 'Anna' });
      store.user.find(2).delete();
      store.user.create({ name: 'Cid' });
      const second = (await post(`${url}/versions`)).body['version'] as { readonly id: string };
      const page = await send(`${url}/versions?limit=1`);
      expect(page.body).toMatchObject({ versions: [second], next_before: second.id });
      const older = await send(`${url}/versions?before=${second.id}`);
      expect(older.body).toEqual({ versions: [first] });
      expect((await send(`${url}/versions/${first.id}`)).body).toEqual(first);
      const then = await send(`${url}/versions/${first.id}/records/user?limit=1`);
      expect(then.body).toMatchObject({ records: [{ id: 1, name: 'Ann' }], next_after: 1 });
      const expected = {
        added: 1,
        removed: 1,
        changed: 1,
        changes: [
          { id: 1, before: { name: 'Ann' }, after: { name: 'Anna' } },
          { id: 2, before: { name: 'Bea' }, after: null },
          { id: 3, before: null, after: { name: 'Cid' } },
        ],
        unlisted: 0,
        truncated: [],
      };
      const between = await send(`${url}/diff?before=${first.id}&after=${second.id}`);
      expect(between.body).toMatchObject({
        before: first.id,
        after: second.id,
        diff: { user: expected, note: { added: 0, removed: 0, changed: 0, changes: [] } },
      });
      const now = await send(`${url}/diff?before=${first.id}&limit=1`);
      expect(now.body).toMatchObject({
        after: null,
        diff: { user: { ...expected, changes: [{ id: 1 }], unlisted: 2 } },
      });
    });

    it('that there are not are 404, and what is no version is refused', async () => {
      const { url } = await served(['Ann']);
      for (const path of [
        '/versions/2020',
        '/versions/2020/records/user',
        '/diff?before=2020',
        '/versions/..%2f..%2fetc',
      ])
        expect([path, await send(`${url}${path}`)]).toMatchObject([
          path,
          { status: 404, body: { type: 'not_found' } },
        ]);
      for (const path of ['/diff', '/diff?before=a/b', '/versions?before=a b', '/versions?limit=x'])
        expect([path, (await send(`${url}${path}`)).status]).toEqual([path, 400]);
      expect((await post(`${url}/versions`, { reason: 'mine' })).status).toBe(422);
    });

    it('are not restored where nobody says who they are, and the answer says what to configure', async () => {
      const { store, url } = await served(['Ann']);
      const version = await store.snapshot();
      store.user.find(1).update({ name: 'Anna' });
      const refused = await post(`${url}/versions/${version.info.id}/restore`);
      expect([refused.status, refused.body]).toMatchObject([
        403,
        { type: 'forbidden', error: expect.stringContaining('apiAuthentication') },
      ]);
      expect(store.user.first()?.name).toBe('Anna');
    });

    it('are for whom the project says, by what would be done', async () => {
      const asked: unknown[] = [];
      const { store, url } = await served(['Ann'], {
        config: {
          ...GUARDED,
          authorizeRecordPipelines: (_ctx, requested) => {
            asked.push(requested);
            return requested.access !== 'restore';
          },
        },
      });
      const as = { 'x-user': 'ann' };
      const made = await post(`${url}/versions`, {}, as);
      expect(made.status).toBe(201);
      const [version] = store.versions;
      const refused = await post(`${url}/versions/${version?.info.id ?? ''}/restore`, {}, as);
      expect([refused.status, refused.body['type']]).toEqual([403, 'forbidden']);
      expect((await send(`${url}/records/user`, { headers: as })).status).toBe(200);
      expect(asked).toEqual(
        ['write', 'restore', 'read'].map((access) => ({ access, pipeline: 'greeting' })),
      );
    });

    it('are restored for who has said so, and what they replace is a version', async () => {
      const { store, url } = await served(['Ann'], { config: GUARDED });
      const as = { 'x-user': 'ann' };
      const version = await store.snapshot();
      store.user.find(1).update({ name: 'Anna' });
      const path = `${url}/versions/${version.info.id}/restore`;
      expect((await post(path)).status).toBe(401);
      expect((await post(`${url}/versions/2020/restore`, {}, as)).status).toBe(404);
      const { status, body } = await post(path, {}, as);
      expect([status, body]).toMatchObject([
        200,
        {
          restored: { id: version.info.id },
          replaced: { reason: 'before_restore', counts: { user: 1 } },
          links: { versions: '/record_pipelines/greeting/versions' },
        },
      ]);
      const users = await send(`${url}/records/user`, { headers: as });
      expect(users.body).toMatchObject({ records: [{ name: 'Ann' }] });
      const { id } = body['replaced'] as { readonly id: string };
      const back = await post(`${url}/versions/${id}/restore`, {}, as);
      expect(back.status).toBe(200);
      expect((await send(`${url}/records/user`, { headers: as })).body).toMatchObject({
        records: [{ name: 'Anna' }],
      });
    });

    it('are not restored while a run works on the store', async () => {
      const gate: Gate = { isOpen: false, failing: new Set() };
      const { store, url } = await served(['Ann'], { config: GUARDED, gate });
      const as = { 'x-user': 'ann' };
      const version = await store.snapshot();
      const run = await post(`${url}/run`, {}, as);
      const refused = await post(`${url}/versions/${version.info.id}/restore`, {}, as);
      expect([refused.status, refused.body]).toMatchObject([
        409,
        { type: 'store_busy', run_id: (run.body['run'] as { readonly id: string }).id },
      ]);
      // One is made all the same.
      expect((await post(`${url}/versions`, {}, as)).status).toBe(201);
      gate.isOpen = true;
    });
  });
});
