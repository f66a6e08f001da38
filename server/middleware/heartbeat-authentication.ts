import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { HttpProblem } from '../http-problem.js';
import { recordOf } from '../request-record.js';
import type { Around } from './chain.js';
import type { ClientAddress } from './client-address.js';

/** The token itself, or what finds it out for each request. */
export type HeartbeatToken = string | (() => string | Promise<string>);

/** What is to be the heartbeat's token cannot be one. Without this, an empty token would let everybody in. */
export class HeartbeatTokenInvalid extends Error {
  override readonly name = 'HeartbeatTokenInvalid';
  constructor(reason: string) {
    super(
      `The heartbeat is to be authenticated, and its token ${reason}. Set dataFlows.heartbeat.authenticationToken to a ` +
        'reference that stands for a long random text, such as "${HEARTBEAT_TOKEN}".',
    );
  }
}

/** What a header can carry: visible ASCII. */
const SENDABLE = /^[\x21-\x7e]+$/;

/** @throws {@link HeartbeatTokenInvalid} for what no header could match, an empty text among it */
export function checkHeartbeatToken(token: unknown): string {
  if (token === undefined || token === null) throw new HeartbeatTokenInvalid('is not set');
  if (typeof token !== 'string')
    throw new HeartbeatTokenInvalid(`is a ${typeof token}, not a text`);
  if (token.trim() === '') throw new HeartbeatTokenInvalid('is empty');
  if (!SENDABLE.test(token))
    throw new HeartbeatTokenInvalid('has characters that a header cannot carry, such as spaces');
  return token;
}

/**
 * Lets requests with the token pass, in `X-Heartbeat-Token` or as `Authorization: Bearer`; others are answered with 401, and
 * logged without what they sent.
 *
 * @throws {@link HeartbeatTokenInvalid}
 */
export function heartbeatAuthentication(token: HeartbeatToken, addressOf: ClientAddress): Around {
  const fixed = typeof token === 'function' ? undefined : checkHeartbeatToken(token);
  return async (ctx, next) => {
    const expected =
      fixed ?? checkHeartbeatToken(typeof token === 'function' ? await token() : token);
    const given = tokenOf(ctx.req);
    if (given === undefined || !isSame(given, expected)) {
      const reason = given === undefined ? 'there is no token' : 'the token is wrong';
      const address = addressOf(ctx.req);
      recordOf(ctx).log.warn({ address, path: ctx.path, reason }, 'refused: not authenticated');
      throw new HttpProblem(401, 'unauthorized', 'Unauthorized');
    }
    await next();
  };
}

/** The one token of a request; of several nobody knows which one a proxy in between has looked at. */
function tokenOf({ headersDistinct }: IncomingMessage): string | undefined {
  const own = headersDistinct['x-heartbeat-token'];
  if (own !== undefined) return oneText(own);
  const authorization = oneText(headersDistinct['authorization'] ?? []);
  const [, bearer] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
  return bearer;
}

function oneText(values: readonly string[]): string | undefined {
  const [value] = values;
  return values.length === 1 && value !== undefined && value !== '' ? value : undefined;
}

/** In a time that does not depend on where the two differ: hashes are equally long, and compared to their end. */
function isSame(given: string, expected: string): boolean {
  const [a, b] = [given, expected].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
