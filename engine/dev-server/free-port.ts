import { createServer } from 'node:net';

/** How many ports after the preferred one are tried before the system picks any. */
const NEIGHBOURS_TRIED = 50;
const HIGHEST_PORT = 65_535;

/**
 * Finds a TCP port on `ip` that nobody listens on: the preferred one, else the next free one after
 * it, else any. `preferred` 0 asks for any free port. Ports in `except` are passed over.
 */
export async function findFreePort(
  ip: string,
  preferred: number,
  except: readonly number[] = [],
): Promise<number> {
  const last = preferred === 0 ? -1 : Math.min(preferred + NEIGHBOURS_TRIED, HIGHEST_PORT);
  for (let port = preferred; port <= last; port += 1) {
    if (!except.includes(port) && (await listenOnce(ip, port)) !== undefined) return port;
  }
  for (;;) {
    const any = await listenOnce(ip, 0);
    if (any === undefined)
      throw new Error(
        `No TCP port of ${ip} can be listened on. Is ${ip} an address of this machine?`,
      );
    if (!except.includes(any)) return any;
  }
}

/** Listens for a moment; gives the port that it got, or undefined where it could not listen. */
async function listenOnce(ip: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen({ host: ip, port, exclusive: true }, () => {
      const address = server.address();
      const got = typeof address === 'object' && address !== null ? address.port : undefined;
      server.close(() => {
        resolve(got);
      });
    });
  });
}
