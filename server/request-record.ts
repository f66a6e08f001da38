import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import type { Logger } from 'pino';

/** What is known of a request while it is answered. */
export interface RequestRecord {
  readonly id: string;
  /** Logs with the request's id. */
  readonly log: Logger;
  readonly startedAt: number;
  /** Who makes it, once that is known. */
  principal?: string;
  /** The run that it started or attached to. */
  executionId?: string;
}

/** Beside Koa's `ctx.state`, which belongs to the app that our routes are mounted into. */
const records = new WeakMap<IncomingMessage, RequestRecord>();

/** Keeps a request's record for as long as the request lives. */
export function keepRecord(ctx: Context, record: RequestRecord): void {
  records.set(ctx.req, record);
}

/** The record of a request that came through our middleware. */
export function recordOf(ctx: Context): RequestRecord {
  const record = records.get(ctx.req);
  if (record === undefined)
    throw new Error('the request did not come through the requestId middleware');
  return record;
}
