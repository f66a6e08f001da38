import { execFile } from 'node:child_process';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { post } from '../cli/fixtures.js';
import { useCli } from '../support/cli.js';
import { INSTALL_LIMIT_MS, offerSqliteBelow, packedFiles, packInto } from '../support/packing.js';
import { COUNT_WORDS, WORD_REPORT, writeProject } from '../support/project.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

const CONFIG = `import { defineConfig } from 'millrace';
export default defineConfig({ catchAllRoutes: true });
`;

/** A hand-written workflow, which is checked, too. */
const WORKFLOW = `import { proxyActivities } from '@temporalio/workflow';
import { executePipeline } from 'millrace/workflow';
import type * as activities from '../activities/mail.js';
import type { shouting } from '../program.js';

const { sendMail } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

export async function shoutAndSend({ text }: { text: string }): Promise<string> {
  const { words } = (await executePipeline('word-report', { text })) as { words: number };
  return sendMail(\`\${words} words\`);
}

export async function typed(): Promise<string> {
  const { loud } = await executePipeline<typeof shouting>('shouting', { text: 'hello' });
  // @ts-expect-error -- there is no such property
  await executePipeline<typeof shouting>('shouting', { txt: 'hello' });
  return loud;
}
`;

const WORKFLOW_CONTRACT = `import { defineWorkflow } from 'millrace';
import { z } from 'zod';
export const shoutAndSend = defineWorkflow({
  name: 'shoutAndSend',
  input: z.object({ text: z.string() }),
  output: z.string(),
});
`;

const ACTIVITIES = `import { activityContext } from 'millrace';
export async function sendMail(text: string): Promise<string> {
  return \`\${activityContext().run.name} sent \${text}\`;
}
`;

/** What somebody's own program does with the package; it is checked, not run. */
const PROGRAM = `import { createEngine, createRouter, defineOperation, definePipeline, RunFailed, type Execution, type RunEvent } from 'millrace';
import { createTestEnvironment, OperationReport, runOperation, startTestServer } from 'millrace/testing';
import { createWorker, type ProjectWorker } from 'millrace/worker';
import { z } from 'zod';

const shout = defineOperation({
  name: 'shout',
  reads: z.object({ text: z.string() }),
  sets: z.object({ loud: z.string() }),
  run: ({ input, heartbeat }) => {
    heartbeat({ completed: 1 });
    return { loud: input.text.toUpperCase() };
  },
});
export const shouting = definePipeline({
  name: 'shouting',
  input: z.object({ text: z.string() }),
  output: z.object({ loud: z.string() }),
  stages: [{ name: 'shout', operations: [shout] }],
});

export async function main(): Promise<string> {
  await using engine = await createEngine({ dir: '.' });
  createRouter(engine, { path: '/ai', only: ['shouting'], stream: true }).routes();
  try {
    const { run, result } = await engine.execute(shouting, { text: 'hello' });
    for await (const event of run.events() satisfies AsyncIterable<RunEvent>) console.log(event.type);
    const execution: Execution = await run.describe();
    return result.loud + execution.status;
  } catch (error) {
    if (error instanceof RunFailed) return error.failure.message;
    throw error;
  }
}

export async function work(): Promise<ProjectWorker> {
  const worker = await createWorker({ config: { worker: { maxCachedWorkflows: 1, tuner: undefined! } } });
  await worker.engine.execute(shouting, { text: 'a' });
  worker.temporal.worker.getState() satisfies string;
  return worker;
}

export async function tests(): Promise<string> {
  const { set } = await runOperation(shout, { input: { text: 'a' }, report: new OperationReport() });
  const server = await startTestServer();
  await using env = await createTestEnvironment({ pipelines: [shouting], config: { temporal: { address: server.address } } });
  return set.loud + (await env.engine.execute(shouting, { text: 'a' })).result.loud;
}

// @ts-expect-error -- a misspelt unit
export const slow = defineOperation({ name: 'slow', timeout: 'two minuts', run: () => ({}) });

// @ts-expect-error -- a number is no text
void runOperation(shout, { input: { text: 7 } });

// @ts-expect-error -- a string is no number
export const length: number = (await runOperation(shout, { input: { text: 'a' } })).set.loud;

// @ts-expect-error -- a string is no number
export const wrong: number = (await (await createEngine()).execute(shouting, { text: 'a' })).result.loud;
`;

/** Ends by itself: nothing of what it started is left. */
const TESTS = `import { defineOperation } from 'millrace';
import { createTestEnvironment, runOperation } from 'millrace/testing';
import { createWorker } from 'millrace/worker';
import { z } from 'zod';

const shout = defineOperation({
  name: 'shout',
  reads: z.object({ text: z.string() }),
  sets: z.object({ loud: z.string() }),
  run: ({ input }) => ({ loud: input.text.toUpperCase() }),
});
const { set } = await runOperation(shout, { input: { text: 'a' } });
const env = await createTestEnvironment({ dir: '.' });
const { result } = await env.engine.execute('word-report', { text: 'one two' });
await env.stop();
console.log(JSON.stringify(set) + JSON.stringify(result) + typeof createWorker);
`;

describe('the package, installed from its tarball into an empty project', () => {
  let dir = '';
  const start = useCli();

  beforeAll(async () => {
    dir = await realpath(await mkdtemp(join(tmpdir(), 'millrace-package-')));
    const tarball = await packInto(dir);
    await offerSqliteBelow(dir);
    await writeFile(
      join(dir, 'package.json'),
      '{ "name": "somebodys-project", "private": true, "type": "module" }',
    );
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], {
      cwd: dir,
      timeout: INSTALL_LIMIT_MS,
    });
    await writeProject(dir, {
      'millrace.config.ts': CONFIG,
      'operations/count-words.ts': COUNT_WORDS,
      'pipelines/word-report.yml': WORD_REPORT,
      'activities/mail.ts': ACTIVITIES,
      'workflows/shout.contract.ts': WORKFLOW_CONTRACT,
      'workflows/shout.ts': WORKFLOW,
    });
  }, INSTALL_LIMIT_MS + 30_000);

  afterAll(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  it('holds what runs and what explains it, and nothing else', async () => {
    const files = await packedFiles();
    const places = new Set(files.map((path) => path.split('/')[0]));
    expect([...places].sort()).toEqual([
      'ARCHITECTURE.md',
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'dist',
      'docs',
      'package.json',
      'templates',
    ]);
    expect(files).toEqual(expect.arrayContaining(['dist/cli/main.js', 'dist/src/index.d.ts']));
    expect(
      files.filter((path) => /(?:^|\/)(?:test|examples|bench)\/|\.tsbuildinfo$/.test(path)),
    ).toEqual([]);
  });

  it('checks the project by npx', async () => {
    const { stdout } = await run('npx', ['--no-install', 'millrace', 'check'], { cwd: dir });
    expect(stdout).toContain('2 definitions, 1 operation, 1 activity, 0 models, nothing wrong.');
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      readonly version: string;
    };
    expect(
      (await run('npx', ['--no-install', 'millrace', '--version'], { cwd: dir })).stdout.trim(),
    ).toBe(version);
  }, 60_000);

  it('serves a run, and stops', async () => {
    const main = join(dir, 'node_modules', 'millrace', 'dist', 'cli', 'main.js');
    const dev = start(['dev', '--port', '0'], { cwd: dir, main });
    const [, url = ''] = await dev.says(/HTTP\s+(http:\S+)/);
    const answer = await post(`${url}/pipelines/word-report`, { text: 'one two three' });
    expect(answer).toMatchObject({ status: 200, body: { success: true, result: { words: 3 } } });
    const shouted = await post(`${url}/pipelines/shoutAndSend`, { text: 'one two three' });
    expect(shouted).toMatchObject({ body: { result: 'shoutAndSend sent 3 words' } });
    expect((await dev.stop('SIGINT')).code).toBe(0);
  }, 90_000);

  it('runs an operation and a pipeline in a test', async () => {
    await writeFile(join(dir, 'tests.mjs'), TESTS);
    const { stdout } = await run(process.execPath, ['tests.mjs'], { cwd: dir });
    expect(stdout).toBe('{"loud":"A"}{"text":"one two","words":2}function\n');
  }, 90_000);

  it('gives a program its types', async () => {
    await writeFile(join(dir, 'program.ts'), PROGRAM);
    const compilerOptions = {
      module: 'NodeNext',
      target: 'ES2022',
      lib: ['ES2023', 'ESNext.Disposable', 'DOM'],
      strict: true,
      noEmit: true,
    };
    await writeFile(
      join(dir, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: { ...compilerOptions, types: [], skipLibCheck: true },
        files: ['program.ts', 'workflows/shout.ts'],
      }),
    );
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const checked = await run(process.execPath, [tsc, '-p', dir]).catch((error: unknown) => error);
    expect(checked).toMatchObject({ stdout: '' });
  }, 90_000);
});
