import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { EncryptJWT, errors, jwtDecrypt } from 'jose';
import type { Context } from 'koa';
import type { ApiAuthentication, Principal } from '../src/config/hooks.js';
import { isLoopback } from './loopback.js';
import { isForeign } from './middleware/same-site.js';

/** The cookie that has a session. */
export const SESSION_COOKIE = 'millrace_session';

/** Fewest characters of a secret. */
const LEAST_SECRET = 32;

/** Most characters of the cookie's value: browsers drop cookies of more than 4,096 bytes, name and attributes among them. */
const MOST_VALUE = 3_800;

const CLAIM = 'principal';

/** What sessions are to be encrypted with cannot be it. */
export class SessionSecretInvalid extends Error {
  override readonly name = 'SessionSecretInvalid';
  constructor(reason: string) {
    super(
      `The secret of sessions ${reason}. Set sessions.secret to a reference that stands for a long random text, such as ` +
        '"${SESSION_SECRET}"; `openssl rand -base64 32` makes one.',
    );
  }
}

/** A principal that no cookie can hold. */
export class PrincipalNotKept extends Error {
  override readonly name = 'PrincipalNotKept';
  constructor(reason: string) {
    super(
      `What apiAuthentication has answered cannot be kept in a session: ${reason}. Have it answer with less, such as an id.`,
    );
  }
}

/** A session of somebody who has authenticated. */
export interface Session {
  readonly principal: Principal;
  readonly expiresAt: Date;
}

/** What {@link Sessions} needs. */
export interface SessionOptions {
  /** The first encrypts; all decrypt, so that a secret can be changed without ending sessions. */
  readonly secrets: readonly string[];
  readonly maxAgeMs: number;
  /** Origins whose pages may have sessions, too. */
  readonly origins: readonly string[];
}

/**
 * Sessions of browsers: pages cannot send a header with `EventSource`, but cookies go along. A session is all in its cookie, encrypted,
 * so that every server with the secret knows it.
 */
export class Sessions {
  readonly #keys: readonly Uint8Array[];
  readonly #options: SessionOptions;

  /** Origins whose pages may have sessions, beside the server's own. */
  get origins(): readonly string[] {
    return this.#options.origins;
  }

  /** @throws {@link SessionSecretInvalid} */
  constructor(options: SessionOptions) {
    if (options.secrets.length === 0) throw new SessionSecretInvalid('is not set');
    if (options.secrets.some((secret) => secret.length < LEAST_SECRET))
      throw new SessionSecretInvalid(`has less than ${String(LEAST_SECRET)} characters`);
    this.#options = options;
    this.#keys = options.secrets.map((secret) => createHash('sha256').update(secret).digest());
  }

  /** Who has the session of a request, or else who `authenticate` says that makes it. */
  around(authenticate: ApiAuthentication): ApiAuthentication {
    return async (ctx) => {
      const session = await this.of(ctx);
      return session === undefined ? authenticate(ctx) : session.principal;
    };
  }

  /**
   * The session of a request. None where the request has credentials of its own, and where a page of another site has sent it: `SameSite`
   * alone lets pages of other ports and subdomains in.
   */
  async of(ctx: Context): Promise<Session | undefined> {
    const value = ctx.cookies.get(SESSION_COOKIE);
    if (value === undefined || ctx.get('Authorization') !== '') return undefined;
    if (isForeign(ctx, this.#options.origins)) return undefined;
    return this.#read(value);
  }

  /** Gives the client of a request a session. @throws {@link PrincipalNotKept} */
  async open(ctx: Context, principal: Principal): Promise<Session> {
    const { maxAgeMs } = this.#options;
    const [key] = this.#keys;
    if (key === undefined) throw new SessionSecretInvalid('is not set');
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(principal)), principal))
      throw new PrincipalNotKept('it is not all JSON');
    const expiresAt = new Date(Math.ceil((Date.now() + maxAgeMs) / 1_000) * 1_000);
    const value = await new EncryptJWT({ [CLAIM]: principal })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .setExpirationTime(expiresAt)
      .encrypt(key);
    if (value.length > MOST_VALUE)
      throw new PrincipalNotKept(
        `it comes to ${String(value.length)} characters, and the most are ${String(MOST_VALUE)}`,
      );
    this.#setCookie(ctx, value, expiresAt);
    return { principal, expiresAt };
  }

  /** Takes the session of a client away. */
  close(ctx: Context): void {
    this.#setCookie(ctx, '', new Date(0));
  }

  #setCookie(ctx: Context, value: string, expires: Date): void {
    // Behind a proxy that ends TLS the connection is a plain one, and the browser's is not.
    const secure = !isLoopback(ctx.hostname);
    if (secure) ctx.cookies.secure = true;
    const bounds = { httpOnly: true, sameSite: 'strict', path: '/', overwrite: true } as const;
    ctx.cookies.set(SESSION_COOKIE, value, { ...bounds, secure, expires });
  }

  async #read(value: string): Promise<Session | undefined> {
    for (const key of this.#keys) {
      try {
        const { payload } = await jwtDecrypt(value, key, {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
          requiredClaims: ['exp', CLAIM],
        });
        // Only `open` can have encrypted it.
        const principal = payload[CLAIM] as Principal;
        return { principal, expiresAt: new Date((payload.exp ?? 0) * 1_000) };
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
      }
    }
    return undefined;
  }
}
