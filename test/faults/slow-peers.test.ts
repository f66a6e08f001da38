import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { config, post } from '../cli/fixtures.js';
import { useCli } from '../support/cli.js';
import { openEvents } from '../support/event-client.js';
import { startOpenAIServer } from '../support/openai-server.js';
import { COUNT_WORDS, WORD_REPORT, writeProject, type ProjectFiles } from '../support/project.js';
import { sharedServerAddress, uniqueTaskQueue } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { useWebhookReceiver } from '../support/webhook-receiver.js';
import { percentile, tell } from './measurements.js';

const dir = useTemporaryDirectory();
const start = useCli();
const receiver = useWebhookReceiver();

/** Answers with as much text as Temporal takes, and a bit less. */
const LARGE = `import { defineOperation } from 'millrace';
import { z } from 'zod';

export const large = defineOperation({
  name: 'large',
  sets: z.object({ text: z.string() }),
  run: () => ({ text: 'x'.repeat(1_500_000) }),
});
`;

const PROJECT: ProjectFiles = {
  'operations/count-words.ts': COUNT_WORDS,
  'operations/large.ts': LARGE,
  'pipelines/word-report.yml': WORD_REPORT,
  'pipelines/large.yml':
    'name: large\nstages:\n  - name: only\n    operations: [{ type: large }]\n',
};

interface Running {
  readonly url: string;
  readonly port: number;
  readonly serverPid: number;
}

/** A server process and a worker process. */
async function run(
  files: ProjectFiles,
  more = '',
  env: Record<string, string> = {},
): Promise<Running> {
  await writeProject(dir.path, { 'millrace.config.ts': config(uniqueTaskQueue(), more), ...files });
  const all = { TEMPORAL_ADDRESS: sharedServerAddress(), ...env };
  const server = start(['server', '--port', '0'], { cwd: dir.path, env: all });
  const worker = start(['worker'], { cwd: dir.path, env: all });
  const [, url = ''] = await server.says(/"url":"(http:[^"]+)"/);
  await worker.says(/worker ready/);
  return { url, port: Number(new URL(url).port), serverPid: server.pid };
}

/** Asks for short runs until told to stop; gives what each took in milliseconds. */
function keepAsking(url: string): { stop(): Promise<readonly number[]> } {
  const tookMs: number[] = [];
  const stop = new AbortController();
  const asking = (async () => {
    while (!stop.signal.aborted) {
      const began = performance.now();
      const { status } = await post(`${url}/pipelines/word-report`, { text: 'one two' });
      if (status !== 200) throw new Error(`answered with ${String(status)}`);
      tookMs.push(performance.now() - began);
      await delay(250);
    }
  })();
  return {
    stop: async () => {
      stop.abort();
      await asking;
      return tookMs;
    },
  };
}

/** Resident memory of a process in MiB. */
async function memoryMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
}

/** Opens a connection and writes to it; what comes back is read unless the connection is paused. */
async function dial(
  port: number,
  text: string,
): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  // However it ends, it has ended.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return { socket, received: () => received };
}

/** When each connection was closed by the other side, in milliseconds from now; fails after a while. */
async function closings(sockets: readonly Socket[], withinMs: number): Promise<readonly number[]> {
  const began = performance.now();
  return Promise.all(
    sockets.map(async (socket) => {
      if (!socket.destroyed)
        await Promise.race([
          once(socket, 'close'),
          delay(withinMs).then(() => {
            throw new Error(`still open after ${String(withinMs)} ms`);
          }),
        ]);
      return performance.now() - began;
    }),
  );
}

describe('event stream clients that do not read', () => {
  const CLIENTS = 40;
  /** Requests that each sends at once: together far more than the system takes for a connection. */
  const PIPELINED = 24;

  it('are disconnected, cost little memory meanwhile, and disturb nobody', async () => {
    const { url, port, serverPid } = await run(PROJECT);
    const large = await post(`${url}/pipelines/large`, {});
    const { execution_id: id } = large.body as { execution_id: string };
    const path = `/pipelines/large/executions/${id}/events`;
    await (await fetch(`${url}${path}`)).text();
    const before = await memoryMiB(serverPid);
    const others = keepAsking(url);

    const request = `GET ${path} HTTP/1.1\r\nHost: millrace\r\n\r\n`;
    const stalled = await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        const { socket } = await dial(port, '');
        socket.pause();
        socket.write(request.repeat(PIPELINED));
        return socket;
      }),
    );
    // One that reads, but little by little, gets everything.
    const slow = await dial(port, request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    const sipping = setInterval(() => {
      slow.socket.pause();
      setTimeout(() => slow.socket.resume(), 400);
    }, 500);
    let peak = before;
    const watching = setInterval(() => {
      void memoryMiB(serverPid).then((now) => {
        peak = Math.max(peak, now);
      });
    }, 250);
    await once(slow.socket, 'close');
    clearInterval(sipping);
    // A paused socket does not notice; the server's side of the connection tells.
    const untilMs = Date.now() + 90_000;
    while ((await connectionsTo(port)) > 5 && Date.now() < untilMs) await delay(500);
    const left = await connectionsTo(port);
    clearInterval(watching);
    const tookMs = await others.stop();
    const live = await openEvents(`${url}/pipelines/word-report/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'a' }),
    });
    await live.ended;
    for (const socket of stalled) socket.destroy();

    tell('event streams that nobody reads', {
      clients: CLIENTS,
      'MiB asked for': Math.round((CLIENTS * PIPELINED * 1.5e6) / 1_048_576),
      'MiB more at the peak': Math.round(peak - before),
      'ms of others (p50)': percentile(tookMs, 50),
      'ms of others (p99)': percentile(tookMs, 99),
    });
    expect(slow.received().endsWith('0\r\n\r\n')).toBe(true);
    expect(slow.received().length).toBeGreaterThan(1_500_000);
    expect(left).toBeLessThanOrEqual(5);
    // An event of 1.5 MB for each, in several forms, and what garbage there is; however many were asked for.
    expect(peak - before).toBeLessThan(CLIENTS * 4 * 1.5 + 150);
    expect(percentile(tookMs, 99)).toBeLessThan(5_000);
    expect(live.events.at(-1)?.event).toBe('complete');
  });
});

/** Established connections to a port of this machine, as the side that listens sees them. */
async function connectionsTo(port: number): Promise<number> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n').slice(1);
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address, , state]) => address?.endsWith(local) === true && state === '01').length;
}

describe('clients that take their time to say what they want', () => {
  const CLIENTS = 100;

  it('are answered with 408 and disconnected, and keep nobody from being served', async () => {
    const { url, port } = await run(PROJECT);
    const others = keepAsking(url);
    const head = 'POST /pipelines/word-report HTTP/1.1\r\nHost: millrace\r\n';
    const json = 'Content-Type: application/json\r\n';
    const inHead = await Promise.all(Array.from({ length: CLIENTS }, () => dial(port, head)));
    const inBody = await Promise.all(
      Array.from({ length: CLIENTS }, () =>
        dial(port, `${head}${json}Content-Length: 1000\r\n\r\n{"text":"`),
      ),
    );
    const dripping = setInterval(() => {
      for (const { socket } of inHead) if (socket.writable) socket.write('X-More: 1\r\n');
      for (const { socket } of inBody) if (socket.writable) socket.write('x');
    }, 1_000);

    // 20 s for the head, 120 s for the request; the server looks every 30 s.
    const [heads, bodies] = await Promise.all([
      closings(
        inHead.map(({ socket }) => socket),
        60_000,
      ),
      closings(
        inBody.map(({ socket }) => socket),
        170_000,
      ),
    ]);
    clearInterval(dripping);
    const tookMs = await others.stop();

    tell('requests that never end', {
      clients: 2 * CLIENTS,
      'closed in the head after s': Math.round(Math.max(...heads) / 1_000),
      'closed in the body after s': Math.round(Math.max(...bodies) / 1_000),
      'ms of others (p50)': percentile(tookMs, 50),
      'ms of others (p99)': percentile(tookMs, 99),
    });
    for (const { received } of [...inHead, ...inBody]) {
      expect(received()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
      expect(received()).toMatch(/"type":"invalid_request"/);
    }
    expect(percentile(tookMs, 99)).toBeLessThan(5_000);
  });
});

describe('a webhook receiver that never answers', () => {
  const SILENT = 30;

  it('is left after 20 seconds and tried again; other webhooks and runs do not wait for it', async () => {
    const { url } = await run(PROJECT, `webhooks: { allow: ['127.0.0.0/8'] }`);
    const asked = (path: string): Promise<unknown> =>
      post(`${url}/pipelines/word-report?webhook_url=${encodeURIComponent(receiver.url(path))}`, {
        text: 'a',
      });
    for (let place = 0; place < SILENT; place += 1)
      receiver.answer(`/silent/${String(place)}`, { status: 200, silent: true });
    await Promise.all(
      Array.from({ length: SILENT }, (_, place) => asked(`/silent/${String(place)}`)),
    );
    await receiver.deliveries('/silent/0', 1);

    const began = Date.now();
    await asked('/prompt');
    const [prompt] = await receiver.deliveries('/prompt', 1);
    expect((prompt?.at ?? 0) - began).toBeLessThan(5_000);

    const waits: number[] = [];
    for (let place = 0; place < SILENT; place += 1) {
      const path = `/silent/${String(place)}`;
      const [first, second] = await receiver.deliveries(path, 2, 60_000);
      expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
      waits.push((second?.at ?? 0) - (first?.at ?? 0));
    }
    tell('receivers that never answer', {
      receivers: SILENT,
      'asked again after s (p50)': Math.round(percentile(waits, 50) / 1_000),
      's at most': Math.round(Math.max(...waits) / 1_000),
    });
    expect(Math.min(...waits)).toBeGreaterThan(20_000);
  });
});

describe('a language model that hangs', () => {
  it('ends with the operation`s timeout, in every attempt', async () => {
    const model = await startOpenAIServer();
    model.reply({ delayMs: 120_000 });
    try {
      const { url } = await run(
        {
          ...PROJECT,
          'config.yml': `models:
  slow:
    provider: openai-compatible
    model: test-model
    capabilities: [text]
    options: { base_url: '${model.url}', api_key: '\${TEST_KEY}' }
`,
          'pipelines/ask.yml': `name: ask
timeout: 1 minute
stages:
  - name: ask
    operations:
      - type: llm-call
        model: slow
        timeout: 2s
        retry: { maximum_attempts: 2, initial_interval: 100ms }
        options: { capability: text, prompt: 'Say {{word}}', inputs: [word], outputs: [answer] }
`,
        },
        '',
        { TEST_KEY: 'sk-test' },
      );
      const others = keepAsking(url);
      const began = performance.now();
      const { status, body } = await post(`${url}/pipelines/ask`, { word: 'hello' });
      const tookMs = performance.now() - began;
      await others.stop();
      tell('a model that hangs', { attempts: model.requests.length, ms: Math.round(tookMs) });
      expect(status).toBe(504);
      expect(body).toMatchObject({ type: 'timeout', operation: 'llm-call', stage: 'ask' });
      expect(model.requests).toHaveLength(2);
      expect(tookMs).toBeLessThan(15_000);
    } finally {
      await model.close();
    }
  });
});
