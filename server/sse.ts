import { once } from 'node:events';
import type { Context } from 'koa';
import type { RunEvent } from '../src/progress/run-event.js';
import { HttpProblem } from './http-problem.js';
import { recordOf } from './request-record.js';

/** Limits of event streams. */
export interface EventStreamLimits {
  /** Most streams at once. */
  readonly clients: number;
  /** A stream that has told nothing for so long sends a comment. */
  readonly keepAliveMs: number;
  /** A client that takes nothing for so long is disconnected. 30 s unless set. */
  readonly stallMs?: number;
}

/** Where a stream's events come from; the signal says that nobody reads any more. */
export type EventSource = (signal: AbortSignal) => AsyncIterable<RunEvent>;

/** A place among the clients, to be used once or given back. */
export interface ReservedStream {
  /** Answers the request with the events of a run. Returns at once; the stream goes on. */
  open(ctx: Context, executionId: string, source: EventSource): void;
  giveBack(): void;
}

const STALL_MS = 30_000;

/** How long clients are told to wait before they reconnect to a server that stopped. */
const RECONNECT_MS = 1_000;

/** Seconds after which another client may have left. */
const RETRY_AFTER_S = '5';

/** An event in the form of the HTML standard. It is one text, so that it is one write and one chunk. */
export function eventText({ id, type, data }: RunEvent): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** All event streams of a router: counts them, and ends them when the process stops. */
export class EventStreams {
  #open = 0;

  constructor(
    private readonly limits: EventStreamLimits,
    private readonly stop: AbortSignal,
  ) {}

  /** Number of streams that are open or about to be. */
  get size(): number {
    return this.#open;
  }

  /** @throws {@link HttpProblem} 503 when there are too many, or the process stops */
  reserve(): ReservedStream {
    const headers = { 'Retry-After': RETRY_AFTER_S };
    if (this.stop.aborted)
      throw new HttpProblem(503, 'unavailable', 'The server is stopping.', { headers });
    if (this.#open >= this.limits.clients) {
      const message = `There are ${String(this.limits.clients)} event streams already (server.sseClients). Try again later.`;
      throw new HttpProblem(503, 'too_many_streams', message, { headers });
    }
    this.#open += 1;
    let given = false;
    const giveBack = (): void => {
      if (!given) this.#open -= 1;
      given = true;
    };
    return {
      giveBack,
      open: (ctx, executionId, source) => {
        const stream = new EventStream(ctx, executionId, this.limits, this.stop);
        void stream.tell(source).finally(giveBack);
      },
    };
  }
}

/** Why a stream ended before the run's story did; logged, and told as a comment where the client still reads. */
type EndReason = 'client left' | 'client too slow' | 'server stops' | 'history cannot be read';

/**
 * One client. Holds at most one event that was not written yet: the next is taken when the client has taken this one.
 *
 * It writes to Node's response, past Koa: each write is then one chunk, whatever an app's middleware does with bodies
 * (compressing them would hold events back), and a client that leaves is no error of the app.
 */
class EventStream {
  readonly #ended = new AbortController();
  readonly #keepAlive: NodeJS.Timeout;
  #reason: EndReason | undefined;

  constructor(
    private readonly ctx: Context,
    private readonly executionId: string,
    private readonly limits: EventStreamLimits,
    private readonly stop: AbortSignal,
  ) {
    const { res } = ctx;
    ctx.status = 200;
    ctx.set({
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache',
      'X-Accel-Buffering': 'no',
    });
    ctx.respond = false;
    res.flushHeaders();
    for (const event of ['close', 'error']) res.on(event, this.#onLeft);
    stop.addEventListener('abort', this.#onStop, { once: true });
    this.#keepAlive = setInterval(() => {
      // A client that does not take what it has needs no more.
      if (res.writableLength === 0 && !res.writableEnded) res.write(': keep-alive\n\n');
    }, limits.keepAliveMs);
    if (res.destroyed) this.#end('client left');
  }

  async tell(source: EventSource): Promise<void> {
    const { log } = recordOf(this.ctx);
    try {
      if (!(await this.#turn())) return;
      await this.#write(`: execution ${this.executionId}\n\n`);
      for await (const event of source(this.#ended.signal)) {
        if (this.#ended.signal.aborted) break;
        await this.#write(eventText(event));
        this.#keepAlive.refresh();
      }
    } catch (error) {
      if (this.#reason === undefined)
        log.warn({ err: error, executionId: this.executionId }, 'event stream failed');
      this.#end('history cannot be read');
    } finally {
      clearInterval(this.#keepAlive);
      this.stop.removeEventListener('abort', this.#onStop);
      if (this.#reason !== undefined)
        log.info(
          { executionId: this.executionId, reason: this.#reason },
          'event stream ended early',
        );
      this.#close();
    }
  }

  /**
   * Waits until the responses before this one on its connection have been taken (HTTP pipelining). What is written before that is
   * kept in memory, whatever it is.
   *
   * @returns false when the client has left instead
   */
  async #turn(): Promise<boolean> {
    const { res, req } = this.ctx;
    if (res.socket !== null) return !this.#ended.signal.aborted;
    // A response in the queue is not told of its connection's end. There are as many as there may be streams.
    req.socket.setMaxListeners(0).once('close', this.#onLeft);
    if (req.socket.destroyed) this.#onLeft();
    if (!this.#ended.signal.aborted)
      await once(res, 'socket', { signal: this.#ended.signal }).catch(() => undefined);
    req.socket.off('close', this.#onLeft);
    return !this.#ended.signal.aborted;
  }

  /** Writes one text, and waits until the client has room for the next. */
  async #write(text: string): Promise<void> {
    const { res } = this.ctx;
    if (this.#ended.signal.aborted || res.write(text)) return;
    const stall = setTimeout(() => {
      this.#end('client too slow');
    }, this.limits.stallMs ?? STALL_MS);
    await once(res, 'drain', { signal: this.#ended.signal }).catch(() => undefined);
    clearTimeout(stall);
  }

  readonly #onLeft = (): void => {
    this.#end('client left');
  };

  readonly #onStop = (): void => {
    this.#end('server stops');
  };

  #end(reason: EndReason): void {
    if (this.#ended.signal.aborted) return;
    this.#reason = reason;
    this.#ended.abort();
  }

  #close(): void {
    const { res } = this.ctx;
    // What happens to the connection from now on is no reason any more.
    this.#ended.abort();
    switch (this.#reason) {
      case undefined:
        res.end();
        break;
      case 'server stops':
      case 'history cannot be read':
        res.end(
          `: ${this.#reason}, reconnect with Last-Event-ID\nretry: ${String(RECONNECT_MS)}\n\n`,
        );
        break;
      case 'client too slow':
      case 'client left':
        // What it has not taken would stay in memory for as long as it stays connected.
        res.destroy();
        break;
    }
  }
}
