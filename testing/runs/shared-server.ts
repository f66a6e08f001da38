import { startTestServer, type TestServer } from '../test-server.js';

/** A server that nobody has used for so long is stopped. */
const IDLE_MS = 10_000;

/** One server that a process has, started when it is first used. */
class SharedServer {
  #server: Promise<TestServer> | undefined;
  #users = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(private readonly kind: 'dev' | 'time-skipping') {}

  async use<T>(work: (address: string) => Promise<T>): Promise<T> {
    this.#users += 1;
    clearTimeout(this.#idle);
    try {
      // One that did not start is no server to keep.
      this.#server ??= startTestServer({ server: this.kind }).catch((error: unknown) => {
        this.#server = undefined;
        throw error;
      });
      return await work((await this.#server).address);
    } finally {
      this.#users -= 1;
      if (this.#users === 0) this.#leave();
    }
  }

  #leave(): void {
    // It keeps no process from ending: the server ends with it.
    this.#idle = setTimeout(() => void this.#stop(), IDLE_MS).unref();
  }

  async #stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await (await server?.catch(() => undefined))?.stop();
  }
}

const SHARED = { dev: new SharedServer('dev'), 'time-skipping': new SharedServer('time-skipping') };

/** Works on a server that all of this process share, which ends when it is not used any more, or with the process. */
export async function onSharedServer<T>(
  kind: 'dev' | 'time-skipping',
  work: (address: string) => Promise<T>,
): Promise<T> {
  return SHARED[kind].use(work);
}
