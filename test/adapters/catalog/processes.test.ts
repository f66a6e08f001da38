import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openCatalog } from '../../../adapters/catalog/open-catalog.js';
import { bundleProgram, type BundledProgram } from '../../support/bundled-program.js';
import { describePostgres, usePostgresDatabase } from '../../support/postgres.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const run = promisify(execFile);
const PROCESSES = 3;
const LENGTH_MS = 2_000;

let program: BundledProgram;

beforeAll(async () => {
  program = await bundleProgram(join(import.meta.dirname, 'fixtures/claim-in-turns.ts'));
});

afterAll(async () => {
  await program.remove();
});

/** Lets some processes run the same flow, and looks at what each was granted and at what they leave. */
async function claimInProcesses(url: string): Promise<void> {
  const startAt = Date.now() + 1_000;
  const outputs = await Promise.all(
    Array.from({ length: PROCESSES }, () =>
      run(process.execPath, [program.path, url, String(startAt), String(startAt + LENGTH_MS)]),
    ),
  );
  const granted = outputs.map(({ stdout }) => JSON.parse(stdout) as number[]);
  const all = granted.flat().sort((a, b) => a - b);
  // None is granted twice and none is left out; each process had some.
  expect(all).toEqual(all.map((_, index) => index + 1));
  expect(granted.map(({ length }) => length > 0)).toEqual(granted.map(() => true));
  const catalog = await openCatalog({ url });
  try {
    expect(await catalog.dataFlows.flow('orders')).toMatchObject({
      lastRunSeq: all.length,
      cursor: all.length,
    });
    expect(
      await catalog.dataFlows.runs('orders', { limit: 10_000, status: 'success' }),
    ).toHaveLength(all.length);
  } finally {
    await catalog.close();
  }
}

describe('several processes that open a new catalog at the same time', () => {
  const dir = useTemporaryDirectory();

  it('take turns in running a flow on one SQLite file', async () => {
    await claimInProcesses(`sqlite:${join(dir.path, 'new', 'catalog.db')}`);
  });
});

describePostgres('several processes that open a new catalog at the same time', () => {
  const database = usePostgresDatabase();

  it('take turns in running a flow on one PostgreSQL', async () => {
    await claimInProcesses(database.url);
  });
});
