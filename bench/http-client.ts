import { Agent, request, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';

/** An HTTP client that keeps its connections, as one in production does. */
export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true });

  /** Posts JSON and reads the JSON answer. @throws {@link UnexpectedStatus} */
  async post(url: string, value: unknown): Promise<Readonly<Record<string, unknown>>> {
    const body = JSON.stringify(value);
    const response = await this.#open(url, 'POST', body, {
      'Content-Type': 'application/json',
      'Content-Length': String(Buffer.byteLength(body)),
    });
    // The API answers with JSON objects.
    const answer = (await json(response)) as Readonly<Record<string, unknown>>;
    if (response.statusCode !== 200 && response.statusCode !== 202)
      throw new UnexpectedStatus(response.statusCode, answer);
    return answer;
  }

  /** Opens an event stream. @throws {@link UnexpectedStatus} */
  async stream(url: string, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
    const response = await this.#open(url, 'GET', undefined, headers);
    if (response.statusCode !== 200) throw new UnexpectedStatus(response.statusCode, undefined);
    return response;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #open(
    url: string,
    method: string,
    body: string | undefined,
    headers: Readonly<Record<string, string>>,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const asked = request(url, { agent: this.#agent, method, headers }, resolve);
      asked.once('error', reject);
      asked.end(body);
    });
  }
}

/** The server answered with another status than a request that is right gets. */
export class UnexpectedStatus extends Error {
  override readonly name = 'UnexpectedStatus';
  constructor(
    readonly status: number | undefined,
    readonly body: unknown,
  ) {
    super(`the server answered ${String(status)}: ${JSON.stringify(body)}`);
  }
}
