import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { cli, useCli, type CliProcess } from '../support/cli.js';
import { openEvents } from '../support/event-client.js';
import { GREET_CONTRACT } from '../support/greet-workflow.js';
import { useProjectDirectory } from '../support/project-directory.js';
import { COUNT_WORDS, WORD_REPORT, writeProject } from '../support/project.js';
import { until } from '../support/until.js';
import { config, endWalk, notesOf, post, walked, walkedOn, WALKING_PROJECT } from './fixtures.js';

jest.setTimeout(90_000);

const dir = useProjectDirectory();
const start = useCli();

const REPORT_PROJECT = {
  'millrace.config.ts': config(),
  'operations/count-words.ts': COUNT_WORDS,
  'pipelines/word-report.yml': WORD_REPORT,
};

/** Starts \`dev\` on free ports and waits for its first screen. */
async function dev(cwd: string): Promise<{ readonly process: CliProcess; readonly url: string }> {
  const process = start(['dev', '--port', '0'], { cwd });
  const [, url = ''] = await process.says(/HTTP\s+(http:\S+)/);
  await process.says(/Watching/);
  return { process, url };
}

/** Waits until a request is answered as expected: reloads take a moment. */
async function eventually(
  url: string,
  body: unknown,
  status: number,
  holding = '',
): Promise<unknown> {
  for (let left = 100; ; left -= 1) {
    // A changed configuration gets a new HTTP server: for a moment there is none.
    const answer = await post(url, body).catch((error: unknown) => ({ status: 0, body: error }));
    if (answer.status === status && JSON.stringify(answer.body).includes(holding))
      return answer.body;
    if (left === 0)
      throw new Error(`still ${String(answer.status)}: ${JSON.stringify(answer.body)}`);
    await delay(100);
  }
}

describe('millrace dev', () => {
  it('brings everything up, with a line to try that works as it is printed', async () => {
    await writeProject(dir.path, REPORT_PROJECT);
    const { process, url } = await dev(dir.path);

    expect(process.output()).toMatch(
      /Temporal {3}embedded, http:\/\/127\.0\.0\.1:\d+ +\(state in \.millrace\)/,
    );
    expect(process.output()).toContain('(loopback only: no authentication configured)');
    expect(process.output()).toContain('queue "millrace", 1 pipeline, 1 operation');
    const [, target = '', body = ''] = await process.says(
      /curl (http:\S+) -H 'content-type: application\/json' -d '(.*)'\n/,
    );
    expect(target).toBe(`${url}/pipelines/word-report`);
    expect(await post(target, body)).toMatchObject({
      status: 200,
      body: { success: true, result: { words: 9 } },
    });
    await process.says(/"msg":"pipe completed"/);

    const second = await cli(['dev', '--port', '0'], { cwd: dir.path });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(
      `already runs in ${dir.path}: process ${String(process.pid)} at ${url}`,
    );

    const stopped = await process.stop('SIGINT');
    expect(stopped.code).toBe(0);
    expect(existsSync(join(dir.path, '.millrace', 'dev.json'))).toBe(false);
  });

  it('goes on with a run from its checkpoint when it was killed and is started again', async () => {
    await writeProject(dir.path, WALKING_PROJECT);
    const first = await dev(dir.path);
    const notes = join(dir.path, 'notes.txt');
    const started = await post(`${first.url}/pipelines/walk/async`, { steps: 600, notes });
    expect(started.status).toBe(202);
    // What a killed process has not yet sent to the server is lost; what is streamed, the server has.
    const stream = await openEvents(
      `${first.url}/pipelines/walk/executions/${executionId(started.body)}/events`,
    );
    await stream.until(
      ({ event, data }) => event === 'operation_progress' && Number(data['completed']) >= 10,
    );
    await first.process.stop('SIGKILL');
    await stream.ended;

    const second = await dev(dir.path);
    await second.process.says(
      new RegExp(
        `1 run goes on: walk ${executionId(started.body)} \\(what the lost worker had begun is tried again`,
      ),
    );
    const [before, after] = await walkedOn(dir.path);
    expect(before).toMatchObject({ attempt: 1, from: 0, pid: first.process.pid });
    expect(after).toMatchObject({ attempt: 2, pid: second.process.pid });
    expect(after.from).toBeGreaterThanOrEqual(10);
    await endWalk(dir.path);
    const status = `${second.url}/pipelines/walk/executions/${executionId(started.body)}`;
    await until(async () => {
      const shown = await (await fetch(status)).text();
      return shown.includes('"completed"') ? true : undefined;
    });
    expect(await notesOf(dir.path)).toHaveLength(2);
  });

  it('takes over what is saved, tells what is wrong, and goes on with what ran before', async () => {
    await writeProject(dir.path, { 'millrace.config.ts': config() });
    const { process, url } = await dev(dir.path);
    await writeProject(dir.path, {
      'operations/count-words.ts': COUNT_WORDS,
      'pipelines/word-report.yml': WORD_REPORT,
    });
    const report = `${url}/pipelines/word-report`;
    expect(await eventually(report, { text: 'a b c' }, 200)).toMatchObject({
      result: { words: 3 },
    });

    await writeProject(dir.path, {
      'pipelines/word-report.yml': WORD_REPORT.replace('count-words', 'count-wrods'),
    });
    await process.says(
      /word-report\.yml:6:26 {2}stage "count": unknown operation type "count-wrods"\. Did you mean "count-words"\?/,
    );
    await process.says(/what ran before goes on running/);
    expect(await post(report, { text: 'a b c d' })).toMatchObject({
      status: 200,
      body: { result: { words: 4 } },
    });

    const counted = COUNT_WORDS.replace('.length }', '.length * 100 }');
    await writeProject(dir.path, {
      'pipelines/word-report.yml': WORD_REPORT,
      'operations/count-words.ts': counted,
    });
    await eventually(report, { text: 'a b' }, 200, '"words":200');
    await rm(join(dir.path, 'pipelines/word-report.yml'));
    await eventually(report, { text: 'a b' }, 404);
  });

  it('takes over new workflow code and another configuration while a run goes on', async () => {
    await writeProject(dir.path, WALKING_PROJECT);
    const { process, url } = await dev(dir.path);
    const walking = post(`${url}/pipelines/walk/async`, {
      steps: 600,
      notes: join(dir.path, 'notes.txt'),
    });
    await walked(dir.path, 1);
    await writeProject(dir.path, {
      'workflows/greet.ts':
        'export async function greet({ name }: { name: string }) { return { greeting: `Hello ${name}` }; }\n',
      'workflows/greet.contract.ts': `import { defineWorkflow } from 'millrace';
import { z } from 'zod';
export const greet = defineWorkflow({ name: 'greet', input: z.object({ name: z.string() }), output: z.object({ greeting: z.string() }) });
`,
    });
    expect(await eventually(`${url}/pipelines/greet`, { name: 'Ada' }, 200)).toMatchObject({
      result: { greeting: 'Hello Ada' },
    });

    const refusing = `exposePipes: ['walk']`;
    await writeProject(dir.path, { 'millrace.config.ts': config('millrace', refusing) });
    await process.says(/reloaded {2}millrace\.config\.ts/);
    expect((await post(`${url}/pipelines/greet`, { name: 'Ada' })).status).toBe(403);

    const { body } = await walking;
    await endWalk(dir.path);
    const result = await fetch(`${url}/pipelines/walk/executions/${executionId(body)}/events`);
    expect(await result.text()).toMatch(/"walked":\d+/);
    // Another worker may have taken it over, at the cost of no attempt.
    for (const note of await notesOf(dir.path))
      expect(note).toMatchObject({ attempt: 1, pid: process.pid });
  });

  it('runs a hand-written workflow in a folder without packages, and takes over its changed activity', async () => {
    const activities = (word: string): string =>
      `import { Context } from '@temporalio/activity';
export const greeting = (name: string): string => \`${word} \${name}, from \${Context.current().info.activityType}\`;
`;
    await writeProject(dir.path, {
      ...REPORT_PROJECT,
      'activities/greetings.ts': activities('Hello'),
      'workflows/greet.contract.ts': GREET_CONTRACT,
      'workflows/greet.ts': `import { proxyActivities } from '@temporalio/workflow';
import { executePipeline } from 'millrace/workflow';
import type * as activities from '../activities/greetings.js';
const { greeting } = proxyActivities<typeof activities>({ startToCloseTimeout: '10s' });
export async function greet({ name }: { name: string }): Promise<unknown> {
  const report = await executePipeline('word-report', { text: name });
  return { greeting: await greeting(name), ...Object(report) };
}
`,
    });
    const { process, url } = await dev(dir.path);
    await process.says(/1 pipeline, 1 workflow, 1 operation, 1 activity/);
    const greet = `${url}/pipelines/greet`;
    expect((await post(greet, { name: 'Ada L' })).body).toMatchObject({
      result: { greeting: 'Hello Ada L, from greeting', words: 2 },
    });

    await writeProject(dir.path, { 'activities/greetings.ts': activities('Welcome') });
    await process.says(/reloaded {2}activities\/greetings\.ts/);
    expect((await post(greet, { name: 'Ada L' })).body).toMatchObject({
      result: { greeting: 'Welcome Ada L, from greeting' },
    });
  });

  it('makes its services anew when a file that the configuration imports changes', async () => {
    const services = (greeting: string): string => `export const greeting = '${greeting}';\n`;
    await writeProject(dir.path, {
      'src/words.ts': services('Hello'),
      'src/services.ts':
        "import { greeting } from './words.js';\nexport const services = { greet: (name: string) => `${greeting} ${name}` };\n",
      'millrace.config.ts': `import { defineConfig } from 'millrace';
import { services } from './src/services.js';
export default defineConfig({ services, routes: [{ pipeline: 'greet', path: '/hello' }] });
`,
      'operations/greet.ts': `import { defineOperation } from 'millrace';
import { z } from 'zod';
export const greet = defineOperation({
  name: 'greet',
  reads: z.object({ name: z.string() }),
  sets: z.object({ greeting: z.string() }),
  run: ({ input, services }) => ({ greeting: (services as { greet: (name: string) => string }).greet(input.name) }),
});
`,
      'pipelines/greet.yml':
        'name: greet\nstages: [{ name: only, operations: [{ type: greet }] }]\n',
    });
    const { process, url } = await dev(dir.path);
    const [, target = ''] = await process.says(/curl (http:\S+) -H/);
    expect(target).toBe(`${url}/hello`);
    await eventually(target, { name: 'Ada' }, 200, '"Hello Ada"');
    await writeProject(dir.path, { 'src/words.ts': services('Good day') });
    await process.says(/reloaded {2}src\/words\.ts/);
    await eventually(target, { name: 'Ada' }, 200, '"Good day Ada"');
  });

  it('takes over a configuration that was refused at first, when what it names is there', async () => {
    await writeProject(dir.path, REPORT_PROJECT);
    const { process, url } = await dev(dir.path);
    await writeProject(dir.path, {
      'millrace.config.ts': config('millrace', `routes: [{ pipeline: 'words', path: '/words' }]`),
    });
    await process.says(/routes\[0\]: there is no pipeline, task or workflow "words"/);
    await writeProject(dir.path, {
      'pipelines/words.yml': WORD_REPORT.replace('name: word-report', 'name: words'),
    });
    await eventually(`${url}/words`, { text: 'a b' }, 200, '"words":2');
  });

  it('says that no pipeline has a route where the configuration gives none', async () => {
    await writeProject(dir.path, {
      ...REPORT_PROJECT,
      'millrace.config.ts': `import { defineConfig } from 'millrace';\nexport default defineConfig({});\n`,
    });
    const { process } = await dev(dir.path);
    expect(process.output()).toContain(
      'No pipeline has a route: set catchAllRoutes: true, or name some in routes, in millrace.config.ts.',
    );
    expect(process.output()).toContain('npx millrace run word-report');
  });

  it('waits for a project that is wrong to be mended', async () => {
    await writeProject(dir.path, {
      ...REPORT_PROJECT,
      'pipelines/word-report.yml': WORD_REPORT.replace('count-words', 'nope'),
    });
    const process = start(['dev', '--port', '0'], { cwd: dir.path });
    await process.says(/unknown operation type "nope"/);
    await process.says(/Waiting for changes/);
    await writeProject(dir.path, REPORT_PROJECT);
    const [, url = ''] = await process.says(/HTTP\s+(http:\S+)/);
    expect((await post(`${url}/pipelines/word-report`, { text: 'one' })).status).toBe(200);
  });

  it('takes the next free port when the one it wants is in use, and says so', async () => {
    await writeProject(dir.path, REPORT_PROJECT);
    const blocker = createServer();
    await new Promise<void>((resolve) => {
      blocker.listen(0, '127.0.0.1', resolve);
    });
    const address = blocker.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      const process = start(['dev', '--port', String(port), '--no-ui'], { cwd: dir.path });
      const [, taken = ''] = await process.says(/HTTP\s+http:\/\/127\.0\.0\.1:(\d+)/);
      expect(Number(taken)).toBeGreaterThan(port);
      await process.says(new RegExp(`port ${String(port)} is in use`));
    } finally {
      blocker.close();
    }
  });

  it('recognises the note of a process that is gone', async () => {
    await writeProject(dir.path, {
      ...REPORT_PROJECT,
      '.millrace/dev.json': JSON.stringify({
        pid: process.pid,
        started: 'another boot/1',
        addresses: undefined,
      }),
    });
    const { process: running } = await dev(dir.path);
    const note: unknown = JSON.parse(
      await readFile(join(dir.path, '.millrace', 'dev.json'), 'utf8'),
    );
    expect(note).toMatchObject({ pid: running.pid });
  });
});

function executionId(body: unknown): string {
  return /"execution_id":"([^"]+)"/.exec(JSON.stringify(body))?.[1] ?? '';
}
