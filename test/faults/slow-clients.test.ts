import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { post, WALK, WALK_PIPELINE } from '../cli/fixtures.js';
import { useCli } from '../support/cli.js';
import { openEvents } from '../support/event-client.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { percentile, tell } from './measurements.js';
import {
  closings,
  connectionsTo,
  dial,
  keepAsking,
  memoryMiB,
  PROJECT,
  runProject,
} from './running-project.js';

const dir = useTemporaryDirectory();
const start = useCli();

describe('event stream clients that do not read', () => {
  const CLIENTS = 40;
  /** Requests that each sends at once: together far more than the system takes for a connection. */
  const PIPELINED = 24;

  it('are disconnected, cost little memory meanwhile, and disturb nobody', async () => {
    const { url, port, serverPid } = await runProject({ dir, start }, PROJECT);
    const large = await post(`${url}/pipelines/large`, {});
    const { execution_id: id } = large.body as { execution_id: string };
    const path = `/pipelines/large/executions/${id}/events`;
    await (await fetch(`${url}${path}`)).text();
    const before = await memoryMiB(serverPid);
    const others = keepAsking(url);

    const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
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

describe('clients that take their time to say what they want', () => {
  const CLIENTS = 100;

  it('are answered with 408 and disconnected, and keep nobody from being served', async () => {
    const { url, port } = await runProject({ dir, start }, PROJECT);
    const others = keepAsking(url);
    const head = 'POST /pipelines/word-report HTTP/1.1\r\nHost: localhost\r\n';
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

describe('clients that do not read their answers', () => {
  const CLIENTS = 20;

  it('are disconnected when nothing moves for two minutes; those that wait for a run are not', async () => {
    const { url, port } = await runProject(
      { dir, start },
      {
        ...PROJECT,
        'operations/walk.ts': WALK,
        'pipelines/walk.yml': WALK_PIPELINE,
      },
    );
    const large = await post(`${url}/pipelines/large`, {});
    const { execution_id: id } = large.body as { execution_id: string };
    const waiting = post(`${url}/pipelines/walk`, { steps: 720, notes: `${dir.path}/notes.txt` });
    const request = `GET /pipelines/large/executions/${id} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const stalled = await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        const { socket } = await dial(port, '');
        socket.pause();
        socket.write(request.repeat(10));
        return socket;
      }),
    );

    const began = Date.now();
    while ((await connectionsTo(port)) > 2 && Date.now() < began + 170_000) await delay(500);
    const tookMs = Date.now() - began;
    tell('answers that nobody reads', {
      clients: CLIENTS,
      'closed after s': Math.round(tookMs / 1_000),
      left: await connectionsTo(port),
    });
    expect(await connectionsTo(port)).toBeLessThanOrEqual(2);
    const { status, body } = await waiting;
    expect([status, body]).toMatchObject([200, { result: { walked: 720 } }]);
    for (const socket of stalled) socket.destroy();
  });
});
