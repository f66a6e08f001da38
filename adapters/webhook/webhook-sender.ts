import http from 'node:http';
import https from 'node:https';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';
import { Webhook } from 'standardwebhooks';
import { WebhookAddressRefused, webhookUrl } from './webhook-address.js';

/** Where webhooks may go and how they are signed. */
export interface WebhookSenderOptions {
  /** Standard Webhooks secrets (`whsec_…` or base64). Each signs every delivery; without one they are not signed. */
  readonly secrets: readonly string[];
  /** Addresses that are allowed though not public: CIDR ranges, or `private` for all of them. */
  readonly allow: readonly string[];
}

/** A message to send. */
export interface WebhookMessage {
  readonly url: string;
  /** The same for each attempt: receivers tell repetitions by it. */
  readonly id: string;
  readonly body: string;
}

/** A receiver that did not accept a message. */
export class WebhookRejected extends Error {
  override readonly name = 'WebhookRejected';
  constructor(
    readonly status: number,
    readonly retryAfterMs: number | undefined,
  ) {
    super(`The webhook's receiver answered with status ${String(status)}.`);
  }
}

/** Longest answer of a receiver that is read, in bytes: it is thrown away. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Longest time of one attempt. */
const ATTEMPT_TIMEOUT_MS = 20_000;

/** Sends webhooks. Follows no redirects, and connects to no address that is not public unless that is allowed. */
export class WebhookSender {
  readonly #signers: readonly Webhook[];
  readonly #agents: { readonly 'http:': http.Agent; readonly 'https:': https.Agent };

  constructor({ secrets, allow }: WebhookSenderOptions) {
    this.#signers = secrets.map((secret) => new Webhook(secret));
    const everywhere = allow.includes('private');
    // The agent looks at the address that the name resolved to and that it then connects to.
    const filter = {
      allowPrivateIPAddress: everywhere,
      allowMetaIPAddress: everywhere,
      allowIPAddressList: allow.filter((range) => range !== 'private'),
    };
    this.#agents = {
      'http:': new RequestFilteringHttpAgent(filter),
      'https:': new RequestFilteringHttpsAgent(filter),
    };
  }

  /**
   * Sends a message once.
   *
   * @throws {@link WebhookRejected} for any answer but 2xx, {@link WebhookAddressRefused}, and Node's errors of the network
   */
  async send(message: WebhookMessage, signal: AbortSignal): Promise<void> {
    const url = webhookUrl(message.url);
    const headers = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(message.body)),
      'user-agent': 'millrace',
      ...this.#signed(message),
    };
    const timeout = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)]);
    await new Promise<void>((resolve, reject) => {
      const protocol = url.protocol === 'https:' ? https : http;
      const agent = this.#agents[url.protocol === 'https:' ? 'https:' : 'http:'];
      const request = protocol.request(
        url,
        { method: 'POST', headers, agent, signal: timeout },
        (response) => {
          drain(response, request);
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve();
          else reject(new WebhookRejected(status, retryAfterMs(response.headers['retry-after'])));
        },
      );
      request.on('error', (error) => {
        reject(
          isRefusal(error)
            ? new WebhookAddressRefused(`Webhooks may not go to ${url.host}: ${error.message}`)
            : error,
        );
      });
      request.end(message.body);
    }).catch((error: unknown) => {
      // The agent refuses an address in a URL by throwing, one behind a name by an error of the socket.
      if (error instanceof Error && isRefusal(error))
        throw new WebhookAddressRefused(`Webhooks may not go to ${url.host}.`);
      throw error;
    });
  }

  /** Ends idle connections. */
  close(): void {
    this.#agents['http:'].destroy();
    this.#agents['https:'].destroy();
  }

  #signed({ id, body }: WebhookMessage): Readonly<Record<string, string>> {
    const now = new Date();
    const signature = this.#signers.map((signer) => signer.sign(id, now, body)).join(' ');
    return {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
      ...(signature !== '' && { 'webhook-signature': signature }),
    };
  }
}

function drain(response: http.IncomingMessage, request: http.ClientRequest): void {
  let read = 0;
  response.on('data', (chunk: Buffer) => {
    read += chunk.length;
    if (read > MAX_ANSWER_BYTES) request.destroy();
  });
  // The answer's status was all that mattered; what breaks after it does no harm.
  response.on('error', () => undefined);
}

/** The agent has no error type of its own. */
function isRefusal(error: Error): boolean {
  return error.message.startsWith('DNS lookup ') && error.message.includes(' is not allowed.');
}

function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}
