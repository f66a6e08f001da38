import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import pino from 'pino';
import type { DataFlows } from '../../engine/data-flow/data-flows.js';
import type { Engine } from '../../engine/engine.js';
import type { Project } from '../../engine/project/load-project.js';
import type { FlowRunRecord } from '../../src/data-flow/catalog.js';
import { ReloadableWorker } from '../../worker/project-worker.js';
import { loadRightProject } from '../support/project.js';
import { sharedLink, uniqueTaskQueue, useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { useWorkflowThreads } from '../support/workflow-threads.js';

const QUICKSTART = fileURLToPath(new URL('../../examples/quickstart/', import.meta.url));
useWorkflowThreads();
const temporal = useTemporal();
let dir = '';
let flows: DataFlows;
let worker: ReloadableWorker;
let engine: Engine;

async function document(name: string): Promise<{ readonly text: string }> {
  return { text: await readFile(join(dir, 'documents', name), 'utf8') };
}

/** A run of a flow, when it is over. */
async function ended(flow: string, runSeq: number): Promise<FlowRunRecord> {
  return until(async () => {
    const run = await flows.catalog.run(flow, runSeq);
    return run === undefined || run.endedAt === null ? undefined : run;
  }, 20_000);
}

describe('the quickstart', () => {
  beforeAll(async () => {
    // Its flows write beside their files.
    dir = await mkdtemp(join(tmpdir(), 'millrace-quickstart-'));
    await cp(QUICKSTART, dir, { recursive: true, filter: (path) => !path.includes('.millrace') });
    const loaded = await loadRightProject(dir);
    const project: Project = {
      ...loaded,
      config: { ...loaded.config, asyncQueue: uniqueTaskQueue() },
    };
    worker = await ReloadableWorker.create({
      project,
      link: sharedLink(temporal),
      log: pino({ level: 'silent' }),
      env: {},
    });
    worker.run().catch(() => undefined);
    ({ engine } = worker);
    flows = await engine.dataFlows();
  }, 60_000);

  afterAll(async () => {
    // The shared server has it for all tests.
    await flows.schedules.remove('wildlife-strikes');
    await worker.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('summarizes the constitution by its own sentences', async () => {
    const { result } = await engine.execute('summarize', await document('constitution.txt'));
    expect(result).toEqual({
      summary: [
        'The Vice President of the United States shall be President of the Senate, but shall have no Vote, unless they be equally divided.',
        'The executive Power shall be vested in a President of the United States of America.',
        'The powers not delegated to the United States by the Constitution, nor prohibited by it to the States, are reserved to the States respectively, or to the people.',
      ],
    });
  });

  it('reports the words of the Gettysburg address', async () => {
    const address = await document('gettysburg-address.txt');
    const { result } = await engine.execute('word-report', address);
    expect(result).toEqual({ ...address, words: 278 });
  });

  it('counts the words of each paragraph on its own', async () => {
    const { result } = await engine.execute('paragraphs', await document('gettysburg-address.txt'));
    expect(result).toEqual({
      paragraphs: [
        expect.stringMatching(/^Four score and seven years ago/),
        expect.stringMatching(/^Now we are engaged in a great civil war/),
        expect.stringMatching(/^But, in a larger sense/),
      ],
      words: [30, 72, 176],
    });
  });

  it('imports the wildlife strikes: each once, the wrong ones with the reason', async () => {
    const { runSeq } = await flows.run('wildlife-strikes');
    const run = await ended('wildlife-strikes', runSeq);
    expect(run).toMatchObject({
      status: 'success',
      counts: { read: 10_000, new: 9_958, updated: 0, redundant: 27, rejected: 15 },
    });
    const [first] = await flows.rejections(run, { limit: 20 });
    expect(first?.reason).toContain('Effect Amount of damage');
    const database = new Database(join(dir, '.millrace/wildlife.db'), { readonly: true });
    try {
      expect(
        database
          .prepare('SELECT count(*) AS strikes, sum(cost_usd > 0) AS costly FROM strikes')
          .get(),
      ).toEqual({ strikes: 9_958, costly: 194 });
    } finally {
      database.close();
    }
  });

  it('writes the strikes that cost money after each import', async () => {
    const run = await until(
      async () => (await flows.catalog.run('costly-strikes', 1)) ?? undefined,
    );
    expect(await ended('costly-strikes', run.runSeq)).toMatchObject({
      status: 'success',
      trigger: 'after',
      counts: { read: 194, written: 194 },
    });
    const text = await readFile(join(dir, '.millrace/costly-strikes.ndjson'), 'utf8');
    const rows = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(rows).toHaveLength(194);
    expect(rows[0]).toMatchObject({
      date: expect.stringMatching(/^1990-/),
      cost_usd: expect.any(Number),
    });
  });

  it('writes what comes later by a limit that was changed', async () => {
    await flows.change('costly-strikes', { configuration: { least: 100_000 } });
    const { runSeq } = await flows.run('costly-strikes');
    expect(await ended('costly-strikes', runSeq)).toMatchObject({
      status: 'success',
      counts: { read: 0 },
    });
    await flows.reset('costly-strikes', null);
    const again = await flows.run('costly-strikes');
    const { status, counts } = await ended('costly-strikes', again.runSeq);
    expect([status, counts.read]).toEqual(['success', expect.any(Number)]);
    expect(counts.read).toBeGreaterThan(0);
    expect(counts.read).toBeLessThan(194);
  });

  it('imports nothing twice', async () => {
    const { runSeq } = await flows.run('wildlife-strikes');
    expect(await ended('wildlife-strikes', runSeq)).toMatchObject({
      status: 'success',
      counts: { read: 0 },
    });
  });
});
