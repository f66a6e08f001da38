import { afterEach, beforeEach } from '@jest/globals';
import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request that has arrived. */
export interface Arrived {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a test decides about the answer to a request. */
export type Answering = (request: Arrived, response: ServerResponse) => void;

/** A server of the test's own. */
export interface TestHttpServer {
  readonly origin: string;
  /** In the order of arrival. */
  readonly requests: readonly Arrived[];
  answer(how: Answering): void;
}

/** Gives each test a local HTTP server that answers as the test says. */
export function useHttpServer(): TestHttpServer {
  let server: Server;
  let requests: Arrived[] = [];
  let answering: Answering;
  const origin = () => `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  beforeEach(async () => {
    requests = [];
    answering = (_request, response) => response.writeHead(404).end('nothing here');
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const { method = '', headers } = request;
        const arrived = { method, headers, body, url: new URL(request.url ?? '/', origin()) };
        requests.push(arrived);
        answering(arrived, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    get origin() {
      return origin();
    },
    get requests() {
      return requests;
    },
    answer: (how) => {
      answering = how;
    },
  };
}
