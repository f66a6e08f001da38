import { beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { connect, createServer, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { ulid } from 'ulid';
import { raiseRetention } from '../../engine/retention.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();

/** https://grpc.io/docs/guides/status-codes */
const PERMISSION_DENIED = 7;

const DAY_MS = 24 * 60 * 60_000;

describe('the retention of a namespace', () => {
  let client: Client;
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    {},
    { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  );

  beforeAll(async () => {
    const namespace = `keeps-${ulid().toLowerCase()}`;
    await temporal.client.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs(2 * DAY_MS),
    });
    client = new Client({ connection: temporal.connection, namespace });
    // The server's own list of namespaces is renewed now and then.
    for (let left = 100; left > 0 && (await keptMs(client)) === undefined; left -= 1)
      await new Promise((resolve) => setTimeout(resolve, 200));
  });

  it('is never shortened', async () => {
    expect(await raiseRetention(client, DAY_MS, log)).toBe(2 * DAY_MS);
    expect(await keptMs(client)).toBe(2 * DAY_MS);
    expect(lines).toEqual([]);
  });

  it('stays as it is where we may not change it, with a warning that says what is lost', async () => {
    const { namespace } = client.options;
    const proxy = await startDenyingProxy(temporal.address);
    const denied = await Connection.connect({ address: proxy.address });
    try {
      const guest = new Client({ connection: denied, namespace });
      expect(await raiseRetention(guest, 7 * DAY_MS, log)).toBe(2 * DAY_MS);
      expect(await keptMs(client)).toBe(2 * DAY_MS);
      expect(lines).toEqual([
        expect.objectContaining({
          level: 40,
          namespace,
          keptDays: 2,
          wantedDays: 7,
          code: PERMISSION_DENIED,
          msg: expect.stringContaining('executionRetention'),
        }),
      ]);
    } finally {
      await denied.close();
      await proxy.close();
    }
  });

  it('is raised where we may', async () => {
    lines.length = 0;
    expect(await raiseRetention(client, 7 * DAY_MS, log)).toBe(7 * DAY_MS);
    expect(await keptMs(client)).toBe(7 * DAY_MS);
    expect(lines).toEqual([]);
  });

  it('cannot be told where the server does not let us ask, which is no error', async () => {
    const other = new Client({ connection: temporal.connection, namespace: 'there-is-no-such' });
    expect(await raiseRetention(other, 7 * DAY_MS, log)).toBeUndefined();
  });
});

async function keptMs({ workflowService, options }: Client): Promise<number | undefined> {
  const { namespace } = options;
  const described = await workflowService.describeNamespace({ namespace }).catch(() => undefined);
  const seconds = described?.config?.workflowExecutionRetentionTtl?.seconds;
  return seconds ? Number(seconds) * 1_000 : undefined;
}

/**
 * The Temporal server as somebody sees it whose API key may use a namespace, but not change it: passes everything on, and denies
 * that one request.
 */
async function startDenyingProxy(address: string): Promise<{
  readonly address: string;
  readonly close: () => Promise<void>;
}> {
  const upstream = connect(`http://${address}`);
  const server = createServer();
  server.on('stream', (stream, headers) => {
    if (headers[':path']?.endsWith('/UpdateNamespace') === true) {
      const denied = { 'grpc-status': String(PERMISSION_DENIED), 'grpc-message': 'not yours' };
      stream.respond({ 'content-type': 'application/grpc', ...denied }, { endStream: true });
      return;
    }
    const passed = upstream.request(headers);
    let trailers: IncomingHttpHeaders = {};
    passed.on('response', (answer) => {
      stream.respond(answer, { waitForTrailers: true });
      passed.pipe(stream);
    });
    passed.on('trailers', (last: IncomingHttpHeaders) => {
      trailers = last;
    });
    stream.on('wantTrailers', () => {
      stream.sendTrailers(trailers);
    });
    stream.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${String(port)}`,
    close: async () => {
      upstream.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
