import { describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { createEngine } from '../../engine/create-engine.js';
import { ReloadableWorker } from '../../worker/project-worker.js';
import { useProjectDirectory } from '../support/project-directory.js';
import { COUNT_WORDS, loadRightProject, WORD_REPORT, writeProject } from '../support/project.js';
import { sharedLink, uniqueTaskQueue, useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const dir = useProjectDirectory();

const FILES = {
  'operations/count-words.ts': COUNT_WORDS,
  'pipelines/word-report.yml': WORD_REPORT,
};

/** A worker for the project of the test's folder, on a queue of its own. */
async function startWorker(services = ''): Promise<ReloadableWorker> {
  const config = `import { defineConfig } from 'millrace';\nexport default defineConfig({ asyncQueue: '${uniqueTaskQueue()}', ${services} });\n`;
  await writeProject(dir.path, { ...FILES, 'millrace.config.ts': config });
  const project = await loadRightProject(dir.path);
  const worker = await ReloadableWorker.create({
    project,
    link: sharedLink(temporal),
    log: pino({ level: 'silent' }),
    env: {},
  });
  worker.run().catch(() => undefined);
  return worker;
}

describe('createEngine', () => {
  it('reads the project, connects, runs, and closes', async () => {
    const worker = await startWorker();
    const engine = await createEngine({
      dir: dir.path,
      env: { TEMPORAL_ADDRESS: temporal.address },
    });
    const { result, run } = await engine.execute('word-report', { text: 'one two' });
    expect(result).toMatchObject({ words: 2 });
    expect((await engine.temporal.client.workflow.getHandle(run.id).describe()).type).toBe(
      'word-report',
    );
    await engine.close();
    await engine.close();
    await worker.stop();
  });

  it('leaves a client that it was given open', async () => {
    const worker = await startWorker();
    const engine = await createEngine({ dir: dir.path, client: temporal.client });
    expect((await engine.execute('word-report', { text: 'one' })).result).toMatchObject({
      words: 1,
    });
    await engine.close();
    expect((await temporal.client.workflowService.getSystemInfo({})).serverVersion).toBeTruthy();
    await worker.stop();
  });

  it('throws every problem of a project that is wrong', async () => {
    await writeProject(dir.path, {
      ...FILES,
      'pipelines/word-report.yml': WORD_REPORT.replace('count-words', 'nope'),
    });
    await expect(createEngine({ dir: dir.path })).rejects.toMatchObject({
      name: 'DefinitionError',
      problems: [expect.objectContaining({ message: expect.stringContaining('nope') })],
    });
  });

  it('says what to do when no server is known', async () => {
    await writeProject(dir.path, FILES);
    const env = { TEMPORAL_CONFIG_FILE: '/nowhere/temporal.toml' };
    await expect(createEngine({ dir: dir.path, env })).rejects.toMatchObject({
      name: 'NoTemporalServer',
    });
  });
});

describe('a worker of a project', () => {
  it('builds services once, gives them to operations, and closes them when it has stopped', async () => {
    const told: string[] = [];
    Object.assign(globalThis, { told });
    const worker = await startWorker(
      `services: () => { globalThis.told.push('built'); return { factor: 10 }; }, disposeServices: () => { globalThis.told.push('closed'); },`,
    );
    expect(told).toEqual(['built']);
    await worker.stop();
    await worker.stop();
    expect(told).toEqual(['built', 'closed']);
  });

  it('does not start when its services fail, or a secret is missing', async () => {
    await expect(
      startWorker(`services: () => { throw new Error('no database'); },`),
    ).rejects.toMatchObject({
      name: 'ServicesFailed',
      message: expect.stringContaining('no database'),
    });
    await writeProject(dir.path, {
      'config.yml':
        'models: { fast: { provider: openai, model: m, options: { api_key: "secret://key" } } }\n',
    });
    await expect(startWorker()).rejects.toMatchObject({
      name: 'UnresolvedReferences',
      references: ['secret://key'],
    });
  });
});
