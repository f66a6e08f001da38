import { createServer } from 'node:net';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defineOperation, definePipeline, defineStepHandler, defineTask, success } from 'millrace';
import {
  createTestEngine,
  runTask,
  startTestServer,
  TimeSkippingServerUnavailable,
  type TestServer,
} from 'millrace/testing';
import { z } from 'zod';
import { findTestServer } from '../../testing/time-skipping/test-server-program.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

let tries = 0;
const flaky = defineOperation({
  name: 'flaky',
  sets: z.object({ tries: z.number() }),
  retry: { maximumAttempts: 4, initialInterval: '1h', backoffCoefficient: 1 },
  run: () => {
    tries += 1;
    if (tries < 4) throw new Error('not yet');
    return { tries };
  },
});

const patient = definePipeline({
  name: 'patient',
  timeout: '1d',
  stages: [{ name: 'try', operations: [flaky] }],
});

const approval = defineTask({
  name: 'approval',
  lifecycle: { maxDuration: '60d' },
  steps: [
    {
      name: 'sign',
      type: 'approval',
      approval: { timeout: '30d', onTimeout: 'complete', result: { by: 'nobody' } },
    },
    {
      name: 'file',
      handler: defineStepHandler({
        name: 'file',
        run: ({ getDependencyField }) =>
          success({ signedBy: getDependencyField<string>('sign', 'by') ?? '' }),
      }),
      dependencies: ['sign'],
    },
  ],
});

describe("createTestEngine({ server: 'time-skipping' })", () => {
  let server: TestServer;

  // The first time on a machine the server is fetched.
  beforeAll(async () => {
    server = await startTestServer({ server: 'time-skipping' });
  }, 120_000);
  afterAll(() => server.stop());

  const env = (): Record<string, string> => ({ MILLRACE_TIME_SKIPPING_SERVER: server.address });

  it('waits for no retry', async () => {
    const engine = await createTestEngine({
      pipelines: [patient],
      server: 'time-skipping',
      env: env(),
    });
    expect((await engine.execute(patient, {})).result).toEqual({ tries: 4 });
    await engine.stop();
  });

  it('lets a timeout of thirty days pass while a result is waited for, and no sooner', async () => {
    const engine = await createTestEngine({
      tasks: [approval],
      server: 'time-skipping',
      env: env(),
    });
    const run = await engine.start('approval', {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await run.describe()).status).toBe('running');
    const results = { file: { signedBy: 'nobody' } };
    expect(await run.result()).toEqual({ status: 'complete', results });
    const { startedAt, completedAt } = await run.describe();
    expect(Number(completedAt) - Number(startedAt)).toBeGreaterThanOrEqual(30 * DAY_MS);
    await engine.stop();
  });

  it('has time for an answer before that, and lets as much time pass as it is told', async () => {
    const engine = await createTestEngine({
      tasks: [approval],
      server: 'time-skipping',
      env: env(),
    });
    const answered = await engine.start('approval', {});
    for await (const { type } of answered.events()) if (type === 'approval_requested') break;
    await engine.sleep('29d');
    expect((await answered.describe()).status).toBe('running');
    await answered.tellStep({
      kind: 'answer',
      step: 'sign',
      approved: true,
      result: { by: 'Ada' },
    });
    const results = { file: { signedBy: 'Ada' } };
    expect(await answered.result()).toEqual({ status: 'complete', results });
    await engine.stop();
  });

  it('has a task told of its steps when hours of retries have passed', async () => {
    let attempts = 0;
    const slow = defineTask({
      name: 'slow',
      lifecycle: { maxDuration: '60d' },
      steps: [
        {
          name: 'prepare',
          handler: defineStepHandler({
            name: 'prepare',
            run: () => {
              attempts += 1;
              if (attempts < 3) throw new Error('not yet');
              return success({ attempts });
            },
          }),
          retry: { backoff: 'none', backoffBaseMs: 3_600_000, maxBackoffMs: 3_600_000 },
        },
        { name: 'sign', type: 'approval', dependencies: ['prepare'] },
      ],
    });
    const { status, step } = await runTask(slow, {
      input: {},
      tell: [{ kind: 'answer', step: 'sign', approved: true, result: { by: 'Ada' } }],
      server: 'time-skipping',
      config: { temporal: { address: server.address } },
    });
    expect(status).toBe('completed');
    expect(step('sign').got).toBeUndefined();
    expect(step('sign').result).toEqual({ by: 'Ada' });
  });

  it('names runs that were left open, though that server has no lists', async () => {
    const engine = await createTestEngine({
      tasks: [approval],
      server: 'time-skipping',
      env: env(),
    });
    const { id } = await engine.start('approval', {});
    await expect(engine.stop()).rejects.toMatchObject({ name: 'LeftOver', runs: [{ id }] });
  });

  it('starts the program that is named, with a server of its own', async () => {
    const program = join(directory.path, 'test-server');
    const { executable, args } = await findTestServer({
      env: process.env,
      onProgress: () => undefined,
    });
    const words = [executable, ...args].map((word) => `'${word}'`).join(' ');
    await writeFile(program, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
    tries = 0;
    const engine = await createTestEngine({
      pipelines: [patient],
      server: 'time-skipping',
      env: { MILLRACE_TIME_SKIPPING_SERVER: program },
    });
    expect(engine.address).not.toBe(server.address);
    expect((await engine.execute(patient, {})).result).toEqual({ tries: 4 });
    await engine.stop();
  }, 120_000);

  const directory = useTemporaryDirectory();

  it('says what to do where there is no such server', async () => {
    // A proxy that is not there: then neither is the vendor's host.
    const closed = `http://127.0.0.1:${String(await closedPort())}`;
    const cacheDir = join(directory.path, 'cache');
    const error: unknown = await findTestServer({
      env: { PATH: directory.path, HTTPS_PROXY: closed },
      cacheDir,
      onProgress: () => undefined,
    }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TimeSkippingServerUnavailable);
    expect(error).toMatchObject({
      tried: [{ source: "the vendor's download" }, { reason: 'there is no `java` on the PATH' }],
      message: expect.stringMatching(/HTTPS_PROXY[^]*Java[^]*MILLRACE_TIME_SKIPPING_SERVER/),
    });
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it('says that a named server does not answer', async () => {
    const creating = createTestEngine({
      pipelines: [patient],
      server: 'time-skipping',
      env: { MILLRACE_TIME_SKIPPING_SERVER: `127.0.0.1:${String(await closedPort())}` },
    });
    await expect(creating).rejects.toMatchObject({ name: 'TemporalUnreachable' });
  }, 60_000);
});

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
