import { afterAll, beforeAll } from '@jest/globals';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A delivery that arrived. */
export interface Received {
  /** When it had arrived, in milliseconds since the epoch. */
  readonly at: number;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A webhook's receiver on a loopback address. */
export interface WebhookReceiver {
  /** A URL of the receiver with this path; deliveries to it are told apart by it. */
  url(path: string): string;
  /** Waits until so many deliveries came to a path. */
  deliveries(path: string, count: number, withinMs?: number): Promise<readonly Received[]>;
  /** What the next deliveries to a path are answered with, before 200: statuses, and where it matters headers. */
  answer(path: string, ...answers: readonly (number | WebhookAnswer)[]): void;
}

/** How a delivery is answered. */
export interface WebhookAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The delivery is taken, but never answered. */
  readonly silent?: boolean;
}

/** Starts a receiver for the tests of a file. */
export function useWebhookReceiver(): WebhookReceiver {
  const received: Received[] = [];
  const answers = new Map<string, WebhookAnswer[]>();
  let server: Server | undefined;
  beforeAll(async () => {
    const listening = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const path = request.url ?? '';
        received.push({
          at: Date.now(),
          path,
          headers: request.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        });
        const { status, headers = {}, silent } = answers.get(path)?.shift() ?? { status: 200 };
        if (silent === true) return;
        const location = status >= 300 && status < 400 ? { location: '/elsewhere' } : {};
        response.writeHead(status, { ...location, ...headers }).end();
      });
    });
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    server = listening;
  });
  afterAll(async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  });
  return {
    url: (path) => `http://127.0.0.1:${String((server?.address() as AddressInfo).port)}${path}`,
    answer: (path, ...given) =>
      answers.set(
        path,
        given.map((answer) => (typeof answer === 'number' ? { status: answer } : answer)),
      ),
    deliveries: async (path, count, withinMs = 20_000) => {
      const until = Date.now() + withinMs;
      const arrived = (): readonly Received[] =>
        received.filter((delivery) => delivery.path === path);
      while (arrived().length < count) {
        if (Date.now() > until)
          throw new Error(
            `${String(arrived().length)} deliveries to ${path}, not ${String(count)}`,
          );
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return arrived();
    },
  };
}
