import { once } from 'node:events';
import {
  connect,
  constants,
  createSecureServer,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Certificate } from './certificates.js';

/** Who is let through to a Temporal server, as Temporal Cloud and self-hosted ones behind a proxy ask. */
export interface Guard {
  readonly certificate: Certificate;
  /** Clients need a certificate that this authority, a PEM, has signed. */
  readonly clientAuthority?: string;
  /** Each call needs it: `authorization: Bearer <key>`. */
  readonly apiKey?: string;
}

/** A Temporal server behind TLS. */
export interface GuardedTemporal {
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  /** The namespaces that calls which were let through have named in their metadata, as Temporal Cloud routes by. */
  readonly namespaces: ReadonlySet<string>;
  close(): Promise<void>;
}

/** Headers that belong to one connection. */
const OF_CONNECTION: readonly string[] = ['connection', 'host', 'transfer-encoding'];

/** gRPC's status for credentials that are missing or wrong. */
const UNAUTHENTICATED = '16';

/** Ends TLS and looks at credentials in front of a Temporal server, and hands every call on to it. */
export async function guardTemporal(target: string, guard: Guard): Promise<GuardedTemporal> {
  const { certificate, clientAuthority, apiKey } = guard;
  const upstream = connect(`http://${target}`);
  upstream.on('error', () => undefined);
  const namespaces = new Set<string>();
  const sessions = new Set<ServerHttp2Session>();
  const server = createSecureServer({
    ...certificate,
    ...(clientAuthority !== undefined && {
      ca: clientAuthority,
      requestCert: true,
      rejectUnauthorized: true,
    }),
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
    session.once('close', () => sessions.delete(session));
  });
  server.on('tlsClientError', () => undefined);
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    if (apiKey !== undefined && headers.authorization !== `Bearer ${apiKey}`) {
      refuse(stream);
      return;
    }
    const namespace = headers['temporal-namespace'];
    if (typeof namespace === 'string') namespaces.add(namespace);
    handOn(upstream, stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // A server that listens on TCP has such an address.
    address: `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    namespaces,
    close: async () => {
      for (const session of sessions) session.destroy();
      upstream.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function refuse(stream: ServerHttp2Stream): void {
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': UNAUTHENTICATED,
      'grpc-message': 'Request unauthorized.',
    },
    { endStream: true },
  );
}

function handOn(
  upstream: ClientHttp2Session,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): void {
  const call = upstream.request(withoutConnection(headers));
  let trailers: OutgoingHttpHeaders = {};
  call.on('response', (answer, flags) => {
    if (stream.destroyed) return;
    const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    stream.respond(withoutConnection(answer), { endStream: isWhole, waitForTrailers: !isWhole });
    if (isWhole) return;
    stream.once('wantTrailers', () => {
      stream.sendTrailers(trailers);
    });
    call.pipe(stream);
  });
  call.on('trailers', (last: IncomingHttpHeaders) => {
    trailers = withoutConnection(last);
  });
  call.on('error', () => {
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  });
  stream.once('close', () => {
    call.close(constants.NGHTTP2_CANCEL);
  });
  stream.pipe(call);
}

function withoutConnection(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !OF_CONNECTION.includes(name)),
  );
}
