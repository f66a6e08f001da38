import { createServer, STATUS_CODES, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type Koa from 'koa';
import { ulid } from 'ulid';

/** The address is in use, or this user may not listen there. */
export class ListenFailed extends Error {
  override readonly name = 'ListenFailed';
  constructor(
    readonly host: string,
    readonly port: number,
    /** Node's: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, … */
    readonly code: string,
    override readonly cause: unknown,
    /** The option that says where to listen. */
    setting = 'server.port',
  ) {
    super(
      `cannot listen on ${host}:${String(port)}: ${REASONS[code] ?? code}. Choose another with --port or ${setting}.`,
    );
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use',
  EACCES: 'this user may not use the port',
  EADDRNOTAVAIL: 'this machine does not have the address',
  ENOTFOUND: 'the host name is not known',
};

/** Where to listen, and until when. */
export interface ListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Aborted when the server is told to stop. */
  readonly stopping: AbortController;
  /** The option that says the port, for who has to choose another. Default: `server.port`. */
  readonly setting?: string | undefined;
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
 * Serves an app, with limits on time for slow clients, and an end in order.
 *
 * @throws {@link ListenFailed}
 */
export async function startListener(
  app: Koa,
  { host, port, stopping, setting }: ListenerOptions,
): Promise<HttpServer> {
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
  const bound = await listen(server, { host, port, setting });
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

async function listen(
  server: Server,
  { host, port, setting }: Pick<ListenerOptions, 'host' | 'port' | 'setting'>,
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new ListenFailed(host, port, error.code ?? error.message, error, setting));
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
