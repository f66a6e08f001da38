import { createServer, STATUS_CODES, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { ulid } from 'ulid';
import type { Engine } from '../engine/engine.js';
import { resolveReferences, secretSources, type Environment } from '../engine/project/secrets.js';
import type { ProjectConfig } from '../src/config/config.js';
import { createApp, type AppDependencies } from './app.js';
import { isLoopback } from './loopback.js';

/** Asked to listen where others can reach it, without anything that asks them who they are. */
export class UnauthenticatedListen extends Error {
  override readonly name = 'UnauthenticatedListen';
  constructor(readonly host: string) {
    super(
      `refusing to listen on ${host}: it is no loopback address, and without apiAuthentication anybody who reaches it could ` +
        'run pipelines. Set apiAuthentication in the configuration, listen on 127.0.0.1, or say --insecure.',
    );
  }
}

/** The address is in use, or this user may not listen there. */
export class ListenFailed extends Error {
  override readonly name = 'ListenFailed';
  constructor(
    readonly host: string,
    readonly port: number,
    /** Node's: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, … */
    readonly code: string,
    override readonly cause: unknown,
  ) {
    super(
      `cannot listen on ${host}:${String(port)}: ${REASONS[code] ?? code}. Choose another with --port or server.port.`,
    );
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use',
  EACCES: 'this user may not use the port',
  EADDRNOTAVAIL: 'this machine does not have the address',
  ENOTFOUND: 'the host name is not known',
};

/** What the server needs beside the engine and the configuration. */
export interface HttpServerOptions extends Omit<
  AppDependencies,
  'stop' | 'loopbackOnly' | 'heartbeatToken' | 'sessionSecrets' | 'approvalSecrets'
> {
  /** Listen on another than a loopback address without authentication. */
  readonly insecure?: boolean;
  /** Default: the configuration's. */
  readonly host?: string;
  /** 0 takes a free one. Default: the configuration's. */
  readonly port?: number;
  /** Where references of the configuration find what they stand for; the environment of the process unless set. */
  readonly env?: Environment;
}

/** A server that listens. */
export interface HttpServer {
  readonly host: string;
  readonly port: number;
  /** `http://127.0.0.1:8787`, without a path. */
  readonly url: string;
  /**
   * Stops: takes no more connections, ends event streams with a hint to come back, cuts waits for results short (their
   * runs go on), and after the grace time closes what is still open. Idempotent; never rejects.
   */
  stop(graceMs?: number): Promise<void>;
}

/** Time that responses in progress get when the server stops. */
const GRACE_MS = 10_000;

/** Limits on how slowly a request may arrive, and on how long an idle connection is kept. */
const TIMEOUTS = {
  headersMs: 20_000,
  requestMs: 120_000,
  /**
   * For connections without a request, and twice for ones that take nothing of what there is for them: Node looks whether
   * anything was taken since the last time. Longer than common load balancers keep theirs (60 s), so that they close first.
   */
  idleMs: 65_000,
} as const;

/**
 * Listens with the whole HTTP API.
 *
 * @throws {@link UnauthenticatedListen}, {@link ListenFailed}; {@link UnresolvedReferences} and {@link HeartbeatTokenInvalid} where
 *   the heartbeat is to be authenticated, and its token cannot be found or is none; {@link SessionSecretInvalid} and
 *   {@link ApprovalSecretInvalid} likewise
 */
export async function startHttpServer(
  engine: Engine,
  config: ProjectConfig,
  options: HttpServerOptions = {},
): Promise<HttpServer> {
  const {
    insecure = false,
    host = config.server.host,
    port = config.server.port,
    env = process.env,
    ...dependencies
  } = options;
  if (config.apiAuthentication === undefined && !insecure && !isLoopback(host))
    throw new UnauthenticatedListen(host);
  const stopping = new AbortController();
  const secrets = await resolveReferences(secretsOf(config), secretSources({ config }, env));
  const app = createApp(engine, config, {
    ...dependencies,
    ...secrets,
    stop: stopping.signal,
    loopbackOnly: !insecure && isLoopback(host),
  });
  const answer = app.callback();
  const server = createServer(
    { requestTimeout: TIMEOUTS.requestMs, headersTimeout: TIMEOUTS.headersMs },
    (request, response) => {
      // Koa answers errors itself: this never rejects.
      void answer(request, response);
    },
  );
  server.keepAliveTimeout = TIMEOUTS.idleMs;
  server.timeout = TIMEOUTS.idleMs;
  const inProgress = trackResponses(server, stopping.signal);
  server.on('timeout', (socket: Socket) => {
    closeIfStuck(socket, inProgress);
  });
  const sockets = trackSockets(server);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const answering = [...inProgress].some(
      (response) => response.socket === socket && response.headersSent,
    );
    refuseConnection(error, socket, answering);
  });
  const bound = await listen(server, host, port);
  let stopped: Promise<void> | undefined;
  return {
    host,
    port: bound,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${String(bound)}`,
    stop: (graceMs = GRACE_MS) => {
      stopped ??= stop({ server, stopping, inProgress, sockets }, graceMs);
      return stopped;
    },
  };
}

/** What the server itself keeps secret, as the configuration writes it. */
function secretsOf({
  dataFlows,
  sessions,
  approvals,
}: ProjectConfig): Pick<AppDependencies, 'heartbeatToken' | 'sessionSecrets' | 'approvalSecrets'> {
  const { authenticationEnabled, authenticationToken } = dataFlows.heartbeat;
  return {
    sessionSecrets: sessions?.secrets ?? [],
    approvalSecrets: approvals?.secrets ?? [],
    ...(authenticationEnabled &&
      authenticationToken !== undefined && { heartbeatToken: authenticationToken }),
  };
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new ListenFailed(host, port, error.code ?? error.message, error));
    });
    server.listen({ host, port }, resolve);
  });
  // A server that listens on TCP has such an address.
  return (server.address() as AddressInfo).port;
}

function trackResponses(server: Server, stopping: AbortSignal): ReadonlySet<ServerResponse> {
  const responses = new Set<ServerResponse>();
  server.prependListener('request', (_request, response: ServerResponse) => {
    responses.add(response);
    if (stopping.aborted) response.setHeader('Connection', 'close');
    response.once('close', () => responses.delete(response));
  });
  return responses;
}

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

interface Running {
  readonly server: Server;
  readonly stopping: AbortController;
  readonly inProgress: ReadonlySet<ServerResponse>;
  readonly sockets: ReadonlySet<Socket>;
}

async function stop(
  { server, stopping, inProgress, sockets }: Running,
  graceMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  for (const response of inProgress) {
    if (!response.headersSent) response.setHeader('Connection', 'close');
    // The head of an event stream promised to keep the connection; it ends when the stream has.
    else {
      // By the time it has, the response no longer knows its socket.
      const { socket } = response;
      response.once('finish', () => socket?.end());
    }
  }
  // Node closes connections that are idle after a request, not those that never had one.
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  stopping.abort(new Error('the server stops'));
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, graceMs);
  await closed;
  clearTimeout(timer);
}

/**
 * Closes a connection on which nothing has moved for long, unless it waits for us: a run may take longer than any idle time.
 * Without this a client that asks and does not read would keep its answers in our memory for as long as it likes.
 */
function closeIfStuck(socket: Socket, inProgress: ReadonlySet<ServerResponse>): void {
  const waits = [...inProgress].some((response) => response.socket === socket);
  if (!waits || socket.writableLength > 0) socket.destroy();
}

const CLIENT_ERROR_STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
};

/** Answers what is no HTTP request, which Koa never gets to see. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket, answering: boolean): void {
  if (error.code === 'ECONNRESET' || !socket.writable || answering) {
    socket.destroy();
    return;
  }
  const status = CLIENT_ERROR_STATUS[error.code ?? ''] ?? 400;
  const reason = STATUS_CODES[status] ?? 'Bad Request';
  const id = ulid();
  const body = JSON.stringify({
    success: false,
    error: reason,
    type: 'invalid_request',
    request_id: id,
  });
  const head = [
    `HTTP/1.1 ${String(status)} ${reason}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    `X-Request-Id: ${id}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
