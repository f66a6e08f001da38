import { createHash } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import type { ApprovalTarget } from '../../src/task/approval-target.js';

/** Fewest characters of a secret. */
const LEAST_SECRET = 32;

/** What tokens are for: none of another purpose that the same secret may sign is taken. */
const AUDIENCE = 'millrace:approval';
const ALGORITHM = 'HS256';

/** What links are to be signed with cannot be it. */
export class ApprovalSecretInvalid extends Error {
  override readonly name = 'ApprovalSecretInvalid';
  constructor(reason: string) {
    super(
      `The secret of approval links ${reason}. Set approvals.secret to a reference that stands for a long random text, such as ` +
        '"${APPROVAL_SECRET}"; `openssl rand -base64 32` makes one.',
    );
  }
}

/** What {@link ApprovalLinks} needs. */
export interface ApprovalLinkOptions {
  /** The first signs; all are taken, so that a secret can be changed while links are on their way. */
  readonly secrets: readonly string[];
  /** Where the server is, as those see it who get links: `https://jobs.example.com`. */
  readonly url: string;
}

/**
 * Links to answer approvals by. Whoever has one may answer that step of that run, and nothing else; it says nothing more when the step
 * waits no longer.
 */
export class ApprovalLinks {
  readonly #keys: readonly Uint8Array[];
  readonly #url: string;

  /** @throws {@link ApprovalSecretInvalid} */
  constructor({ secrets, url }: ApprovalLinkOptions) {
    if (secrets.length === 0) throw new ApprovalSecretInvalid('is not set');
    if (secrets.some((secret) => secret.length < LEAST_SECRET))
      throw new ApprovalSecretInvalid(`has less than ${String(LEAST_SECRET)} characters`);
    this.#keys = secrets.map((secret) => createHash('sha256').update(secret).digest());
    this.#url = url.replace(/\/+$/, '');
  }

  /** The link to answer a step by. */
  async link({ name, executionId, step }: ApprovalTarget): Promise<string> {
    const [key = new Uint8Array()] = this.#keys;
    const token = await new SignJWT({ name, executionId, step })
      .setProtectedHeader({ alg: ALGORITHM })
      .setAudience(AUDIENCE)
      .sign(key);
    return `${this.#url}/approvals/${token}`;
  }

  /** The step that the token of a link is for; undefined for one that was not made here. */
  async target(token: string): Promise<ApprovalTarget | undefined> {
    for (const key of this.#keys) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: [ALGORITHM],
          audience: AUDIENCE,
        });
        const { name, executionId, step } = payload;
        if (typeof name === 'string' && typeof executionId === 'string' && typeof step === 'string')
          return { name, executionId, step };
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
      }
    }
    return undefined;
  }
}
