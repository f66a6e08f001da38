import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { coreOf } from '../../../adapters/record-store/define-store.js';
import { defineStore, record, StoreUnusable } from '../../../adapters/record-store/index.js';
import { diffPage } from '../../../adapters/record-store/reading/diff-page.js';
import {
  recordPage,
  type RecordPageRequest,
} from '../../../adapters/record-store/reading/record-page.js';
import { storeCounts } from '../../../adapters/record-store/reading/store-counts.js';
import { ContractViolation } from '../../../src/contract/violation.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const NEVER = new AbortController().signal;

describe('reading a store beside its work', () => {
  const folder = useTemporaryDirectory();

  const columns = { name: z.string(), email: z.string().nullable().default(null) };

  /** A store as it was first, and as it is with a column and a record type that came later. */
  async function grown() {
    const before = defineStore({
      dir: folder.path,
      records: { user: record({ table: 'users', columns: { name: columns.name } }) },
    });
    before.user.create({ name: 'Ann' });
    const { info } = await before.snapshot();
    before.close();
    const store = defineStore({
      dir: folder.path,
      records: {
        user: record({ table: 'users', columns }),
        note: record({ table: 'notes', columns: { text: z.string() } }),
      },
      migrations: { 'add email': { addColumns: { user: ['email'] } } },
    });
    store.user.create({ name: 'Bea', email: 'bea@example.com' });
    store.note.create({ text: 'hello' });
    const core = coreOf(store);
    const of = (type: string): RecordPageRequest['model'] => core.models.get(type)!;
    return { store, core, of, old: info.file };
  }

  it('shows a version from before a column and a record type as empty of them', async () => {
    const { store, of, old } = await grown();
    const users = { file: old, model: of('user'), limit: 10 };
    expect(await recordPage(users, NEVER)).toEqual({
      records: [{ id: 1, name: 'Ann', email: null }],
      cut: [],
    });
    expect(await recordPage({ ...users, model: of('note') }, NEVER)).toEqual({
      records: [],
      cut: [],
    });
    const refused = recordPage({ ...users, where: { email: null } }, NEVER);
    await expect(refused).rejects.toBeInstanceOf(ContractViolation);
    await expect(refused).rejects.toThrow(
      "Property 'where.email' is a column that this version does not have yet",
    );
    store.close();
  });

  it('tells what is other now than in such a version', async () => {
    const { store, core, old } = await grown();
    const diff = await diffPage(
      { before: old, after: core.file, models: core.models, limit: 10 },
      NEVER,
    );
    expect(diff).toEqual({
      user: {
        added: 1,
        removed: 0,
        changed: 0,
        changes: [{ id: 2, before: null, after: { id: 2, name: 'Bea', email: 'bea@example.com' } }],
        cut: [],
      },
      note: {
        added: 1,
        removed: 0,
        changed: 0,
        changes: [{ id: 1, before: null, after: { id: 1, text: 'hello' } }],
        cut: [],
      },
    });
    store.close();
  });

  it('says what SQLite has against a file, and ends when nobody wants it any more', async () => {
    const { store, core, of } = await grown();
    const file = join(folder.path, 'other.sqlite3');
    writeFileSync(file, 'no database, and long enough to be looked at as one'.repeat(100));
    const damaged = storeCounts(file, core.models, NEVER);
    await expect(damaged).rejects.toBeInstanceOf(StoreUnusable);
    await expect(damaged).rejects.toThrow(`${file}: is damaged, or no SQLite database`);
    const gone = recordPage({ file: core.file, model: of('user'), limit: 1 }, AbortSignal.abort());
    await expect(gone).rejects.toMatchObject({ name: 'AbortError' });
    store.close();
  });
});
