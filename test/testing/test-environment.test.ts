import { describe, expect, it } from '@jest/globals';
import { defineOperation, definePipeline, defineWorkflow, DefinitionError } from 'millrace';
import { createTestEnvironment, startTestServer } from 'millrace/testing';
import { z } from 'zod';
import { sweepSchedule } from '../../worker/minute-schedule.js';
import { COUNT_WORDS, WORD_REPORT, writeProject } from '../support/project.js';
import { useTemporal } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { useWorkflowThreads } from '../support/workflow-threads.js';

useWorkflowThreads();

const temporal = useTemporal();
const dir = useTemporaryDirectory();

const shared = (): Record<string, string> => ({ TEMPORAL_ADDRESS: temporal.address });

const greet = defineOperation({
  name: 'greet',
  reads: z.object({ name: z.string() }),
  sets: z.object({ greeting: z.string() }),
  run: ({ input, services }) => {
    // What a project would declare by merging `Services`.
    const { mood } = services as { readonly mood: string };
    return { greeting: `${mood} ${input.name}` };
  },
});

const greeting = definePipeline({
  name: 'greeting',
  input: z.object({ name: z.string() }),
  output: z.object({ greeting: z.string() }),
  stages: [{ name: 'greet', operations: [greet] }],
});

describe('createTestEnvironment', () => {
  it('runs pipelines with doubles of services, typed', async () => {
    const env = await createTestEnvironment({
      pipelines: [greeting],
      services: { mood: 'hello' },
      env: shared(),
    });
    expect(env).toMatchObject({ address: temporal.address, namespace: 'default' });
    const { result } = await env.engine.execute(greeting, { name: 'Ada' });
    const typed: string = result.greeting;
    expect(typed).toBe('hello Ada');
    const sweep = temporal.client.schedule.getHandle(sweepSchedule(env.taskQueue).scheduleId);
    await expect(sweep.describe()).rejects.toThrow();
    await Promise.all([env.stop(), env.stop()]);
  });

  it('starts a server of its own where none is named, which ends with it', async () => {
    const env = await createTestEnvironment({
      pipelines: [greeting],
      services: { mood: 'good' },
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
    });
    expect(env.address).not.toBe(temporal.address);
    expect((await env.engine.execute(greeting, { name: 'day' })).result).toEqual({
      greeting: 'good day',
    });
    await env.stop();
    await expect(
      createTestEnvironment({ pipelines: [greeting], env: { TEMPORAL_ADDRESS: env.address } }),
    ).rejects.toMatchObject({ name: 'TemporalUnreachable' });
  }, 60_000);

  it('loads a project, on a queue of its own, without its server, services and models', async () => {
    await writeProject(dir.path, {
      'operations/count-words.ts': COUNT_WORDS,
      'pipelines/word-report.yml': WORD_REPORT,
      'pipelines/ask.yml': `name: ask
stages:
  - name: ask
    operations: [{ type: llm-call, model: main, options: { prompt: 'Say {{word}}', inputs: [word], outputs: answer } }]
`,
      'config.yml': 'models:\n  main: { provider: openai, model: m, capabilities: [text] }\n',
      'millrace.config.ts': `import { defineConfig } from 'millrace';
export default defineConfig({
  asyncQueue: 'production',
  temporal: { address: 'production.invalid:7233' },
  services: () => { throw new Error('not in a test'); },
});
`,
    });
    const env = await createTestEnvironment({
      dir: dir.path,
      env: {},
      config: { temporal: { address: temporal.address } },
      services: {},
      models: {
        main: {
          capabilities: ['text'],
          generate: async ({ prompt }) => ({
            output: `You asked: ${prompt}`,
            inputTokens: 1,
            outputTokens: 1,
          }),
        },
      },
    });
    expect(env.taskQueue).not.toBe('production');
    expect((await env.engine.execute('word-report', { text: 'a b' })).result).toMatchObject({
      words: 2,
    });
    expect((await env.engine.execute('ask', { word: 'hi' })).result).toMatchObject({
      answer: 'You asked: Say hi',
    });
    await env.stop();
  });

  it('runs workflow functions of a file', async () => {
    const env = await createTestEnvironment({
      workflows: [
        defineWorkflow({
          name: 'greet',
          input: z.object({ name: z.string() }),
          output: z.object({ greeting: z.string() }),
        }),
      ],
      workflowFiles: [new URL('../workflows/fixtures/greet.ts', import.meta.url)],
      env: shared(),
    });
    const { result } = await env.engine.execute('greet', { name: 'Ada' });
    expect(result).toEqual({ greeting: 'Hello, Ada!' });
    await env.stop();
  });

  it('leaves Worker Versioning aside, since nobody makes a version the current one', async () => {
    const env = await createTestEnvironment({
      pipelines: [greeting],
      services: { mood: 'hello' },
      env: shared(),
      config: {
        worker: {
          workerDeploymentOptions: {
            version: { deploymentName: 'never', buildId: 'current' },
            useWorkerVersioning: true,
            defaultVersioningBehavior: 'PINNED',
          },
        },
      },
    });
    expect((await env.engine.execute(greeting, { name: 'Ada' })).result.greeting).toBe('hello Ada');
    await env.stop();
  });

  it('names every problem of wrong definitions', async () => {
    const wrong = definePipeline({
      name: 'wrong',
      stages: [{ name: 'a', operations: ['nothing', greet] }],
    });
    const creating = createTestEnvironment({
      pipelines: [wrong],
      config: { server: { port: 99_999 } },
      env: shared(),
    });
    await expect(creating).rejects.toBeInstanceOf(DefinitionError);
    await expect(creating).rejects.toThrow(/port[\s\S]*nothing/);
  });

  it('leaves a server that was started for several environments to who started it', async () => {
    const server = await startTestServer();
    const env = { TEMPORAL_ADDRESS: server.address };
    for (const mood of ['one', 'two']) {
      const environment = await createTestEnvironment({
        pipelines: [greeting],
        services: { mood },
        env,
      });
      const { result } = await environment.engine.execute(greeting, { name: 'x' });
      expect(result).toEqual({ greeting: `${mood} x` });
      await environment.stop();
    }
    await server.stop();
  }, 60_000);
});
