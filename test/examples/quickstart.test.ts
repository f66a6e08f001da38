import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pino from 'pino';
import type { Engine } from '../../engine/engine.js';
import type { Project } from '../../engine/project/load-project.js';
import { ReloadableWorker } from '../../worker/project-worker.js';
import { loadRightProject } from '../support/project.js';
import { sharedLink, uniqueTaskQueue, useTemporal } from '../support/temporal.js';

const DIR = fileURLToPath(new URL('../../examples/quickstart/', import.meta.url));
const temporal = useTemporal();
let worker: ReloadableWorker;
let engine: Engine;

async function document(name: string): Promise<{ readonly text: string }> {
  return { text: await readFile(`${DIR}documents/${name}`, 'utf8') };
}

describe('the quickstart', () => {
  beforeAll(async () => {
    const loaded = await loadRightProject(DIR);
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
  }, 60_000);

  afterAll(async () => {
    await worker.stop();
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
});
