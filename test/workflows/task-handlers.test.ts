import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DeployedCode } from '../../engine/deployed-code.js';
import {
  defineApiHandler,
  defineStepHandler,
  type ApiStepContext,
  type StepReturn,
} from '../../src/task/handler.js';
import { success } from '../../src/task/step-result.js';
import { defineTask, type Lifecycle } from '../../src/task/task.js';
import { useStacks } from '../support/stack.js';
import { stepsOfRun } from '../support/tasks.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
const stack = useStacks(temporal);

describe('a handler of an HTTP API', () => {
  type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;
  let answers: Answer[] = [];
  const seen: { method: string; url: string; body: string; headers: IncomingMessage['headers'] }[] =
    [];
  const service = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen.push({
        method: request.method ?? '',
        url: request.url ?? '',
        body,
        headers: request.headers,
      });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      answer?.(request, response, body);
    });
  });
  let port = 0;

  beforeAll(async () => {
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    // It listens on TCP.
    ({ port } = service.address() as AddressInfo);
  });
  beforeEach(() => {
    seen.length = 0;
  });
  afterAll(async () => {
    service.closeAllConnections();
    await new Promise((resolve) => service.close(resolve));
  });

  const status =
    (code: number, body = '', headers: Record<string, string> = {}): Answer =>
    (_request, response) => {
      response.writeHead(code, headers).end(body);
    };

  async function call(
    run: (context: ApiStepContext) => StepReturn,
    timeout?: number,
    lifecycle: Lifecycle = {},
  ) {
    const call = defineApiHandler({
      name: 'call',
      baseUrl: () => `http://127.0.0.1:${String(port)}/v1/`,
      headers: { 'x-key': 'k' },
      ...(timeout !== undefined && { timeout }),
      run,
    });
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'calls',
          lifecycle,
          steps: [{ name: 'call', handler: call, retry: { maxAttempts: 2, backoffBaseMs: 10 } }],
        }),
      ],
    });
    return engine.execute('calls', {});
  }

  it('sends JSON below its base URL, and gets JSON', async () => {
    answers = [status(201, '{"id":7}', { 'x-limit': '9' })];
    const { result } = await call(async ({ api }) => {
      const answer = await api.post<{ id: number }>('/charges', {
        body: { amount: 5 },
        query: { dry: true, none: undefined },
        headers: { 'x-more': 'm' },
      });
      return success({
        status: answer.status,
        id: answer.body.id,
        limit: answer.headers.get('x-limit'),
      });
    });
    expect(result).toMatchObject({ results: { call: { status: 201, id: 7, limit: '9' } } });
    expect(seen).toMatchObject([
      {
        method: 'POST',
        url: '/v1/charges?dry=true',
        body: '{"amount":5}',
        headers: { 'content-type': 'application/json', 'x-key': 'k', 'x-more': 'm' },
      },
    ]);
  });

  it('gets a text where the answer is no JSON, and null where there is none', async () => {
    answers = [status(200, 'fine'), status(204)];
    const { result } = await call(async ({ api }) =>
      success([(await api.get('a')).body, (await api.delete('b')).body]),
    );
    expect(result).toMatchObject({ results: { call: ['fine', null] } });
  });

  it.each([400, 401, 403, 404, 409, 422])('fails for good with %d', async (code) => {
    answers = [status(code, 'no')];
    await expect(call(async ({ api }) => (await api.get('/x')).body)).rejects.toMatchObject({
      failure: { step: 'call', attempts: 1 },
    });
    expect(seen).toHaveLength(1);
  });

  it.each([408, 429, 500, 503])('is tried again with %d', async (code) => {
    answers = [status(code), status(200, '"done"')];
    const { result } = await call(async ({ api }) => (await api.get('/x')).body);
    expect(result).toMatchObject({ results: { call: 'done' } });
  });

  it('waits for as long as Retry-After asks for', async () => {
    answers = [status(429, '', { 'retry-after': '1' }), status(200, '"done"')];
    const startedAt = Date.now();
    await call(async ({ api }) => (await api.get('/x')).body);
    expect(Date.now() - startedAt).toBeGreaterThan(900);
  });

  it('waits no shorter than Retry-After asks for, and fails where the task has no time for that', async () => {
    answers = [status(503, '', { 'retry-after': '7200' })];
    const limit = { maxWaitForRetry: '1h' } as const;
    await expect(
      call(async ({ api }) => (await api.get('/x')).body, undefined, limit),
    ).rejects.toMatchObject({
      failure: {
        type: 'RetryWaitExceeded',
        message: expect.stringContaining('would have to wait 7200000 ms, and the most is 3600000'),
      },
    });
    expect(seen).toHaveLength(1);
  });

  it('is tried again where nobody answers in time', async () => {
    answers = [() => undefined, status(200, '"done"')];
    const { result } = await call(async ({ api }) => (await api.get('/x')).body, 300);
    expect(result).toMatchObject({ results: { call: 'done' } });
  });
});

describe('a deploy', () => {
  it('has a step go on elsewhere with its checkpoint, which counts as no attempt', async () => {
    const seen: unknown[] = [];
    const patient = defineStepHandler({
      name: 'patient',
      run: async ({ attempt, checkpoint, heartbeat, signal }) => {
        seen.push([attempt, checkpoint ?? null]);
        if (checkpoint !== undefined) return success('done');
        heartbeat({ completed: 1 }, 'half');
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('aborted'));
          });
        });
        return success('never');
      },
    });
    const { engine, startWorker } = await stack({
      worker: false,
      tasks: [defineTask({ name: 'moved', steps: [{ name: 'patient', handler: patient }] })],
    });
    const first = await startWorker();
    const run = await engine.start('moved', {});
    await until(async () => (seen.length > 0 ? true : undefined));
    const second = await startWorker();
    await first.stop();
    expect(await run.result()).toEqual({ status: 'complete', results: { patient: 'done' } });
    expect(seen).toEqual([
      [1, null],
      [1, 'half'],
    ]);
    expect(await stepsOfRun(run)).toMatchObject([{ attempts: 1 }]);
    await second.stop();
  });

  it('has a task wait for a worker that has the handler', async () => {
    const late = defineStepHandler({ name: 'late', run: ({ attempt }) => success({ attempt }) });
    const { engine, startWorker, code } = await stack({
      worker: false,
      tasks: [defineTask({ name: 'waits', steps: [{ name: 'late', handler: late }] })],
    });
    await startWorker(new DeployedCode({ ...code.registry, stepHandlers: new Map() }));
    const run = await engine.start('waits', {});
    const told = new Set<string>();
    for await (const { type } of run.events()) {
      told.add(type);
      if (type === 'step_waiting' && told.size === 3) await startWorker();
    }
    expect(told).toContain('step_waiting');
    expect(await run.result()).toMatchObject({ results: { late: { attempt: 1 } } });
  });
});
