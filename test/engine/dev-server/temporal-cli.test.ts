import { execFileSync } from 'node:child_process';
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DevServerUnavailable } from '../../../engine/dev-server/dev-server-errors.js';
import { cachedTemporalCli } from '../../../engine/dev-server/temporal-cli-cache.js';
import { findTemporalCli } from '../../../engine/dev-server/temporal-cli.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

/** Longest time that a vendor host without an answer may cost, with some room for a busy machine. */
const SILENT_HOST_LIMIT_MS = 15_000;

describe('the search for the Temporal CLI', () => {
  const directory = useTemporaryDirectory();
  const proxies: SilentProxy[] = [];
  let realBinary: string;
  let cacheDir: string;
  let binDir: string;

  beforeAll(async () => {
    realBinary = (await findTemporalCli()).path;
  });
  beforeEach(async () => {
    cacheDir = join(directory.path, 'cache');
    binDir = join(directory.path, 'bin');
    await mkdir(binDir);
  });
  afterEach(async () => {
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  });

  it('prefers the executable that it is given', async () => {
    const cli = await findTemporalCli({ executable: realBinary, env: { PATH: binDir }, cacheDir });
    expect(cli).toMatchObject({
      path: realBinary,
      source: 'explicit',
      version: expect.stringContaining('Server'),
    });
  });

  it('tries nothing else when the given executable is unusable', async () => {
    const missing = join(directory.path, 'nowhere');
    const error = await unavailable({
      env: { PATH: dirname(realBinary), MILLRACE_TEMPORAL_CLI: missing },
      cacheDir,
    });
    expect(error.tried).toEqual([
      { source: `MILLRACE_TEMPORAL_CLI=${missing}`, reason: 'not found' },
    ]);
  });

  it('does not take another program for the Temporal CLI', async () => {
    const error = await unavailable({
      executable: process.execPath,
      env: { PATH: binDir },
      cacheDir,
    });
    expect(error.tried[0]?.reason).toContain('not the Temporal CLI');
  });

  it('finds it on the PATH before it looks into the cache', async () => {
    await symlink(realBinary, join(binDir, 'temporal'));
    await putIntoCache();
    const cli = await findTemporalCli({ env: { PATH: binDir }, cacheDir });
    expect(cli).toMatchObject({ path: join(binDir, 'temporal'), source: 'path' });
  });

  it('finds it in the cache', async () => {
    await putIntoCache();
    const cli = await findTemporalCli({ env: { PATH: binDir }, cacheDir });
    expect(cli).toMatchObject({ path: cachedTemporalCli(cacheDir), source: 'cache' });
  });

  it('names every source that it tried and what a person can do when there is none', async () => {
    const closedPort = await openSilentProxy();
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
    const error = await unavailable({ env: { PATH: binDir, HTTPS_PROXY: closedPort }, cacheDir });
    expect(error.tried.map(({ source }) => source)).toEqual([
      '`temporal` on the PATH',
      `the cache (${cachedTemporalCli(cacheDir)})`,
      expect.stringContaining('download'),
      expect.stringContaining('go install'),
    ]);
    expect(error.tried[3]?.reason).toBe('there is no `go` on the PATH');
    expect(error.message).toMatch(/TEMPORAL_ADDRESS[^]*install the Temporal CLI[^]*install Go/);
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it('gives up a download host that does not answer within seconds, and goes on', async () => {
    const silent = await openSilentProxy();
    const messages: string[] = [];
    const startedMs = Date.now();
    const error = await unavailable({
      env: { PATH: binDir, HTTPS_PROXY: silent },
      cacheDir,
      onProgress: (message) => messages.push(message),
    });
    expect(Date.now() - startedMs).toBeLessThan(SILENT_HOST_LIMIT_MS);
    expect(proxies[0]?.asked()).toBe(true);
    expect(error.tried[2]?.reason).toContain('no data');
    expect(error.tried[3]?.source).toContain('go install');
    expect(messages).toContainEqual(
      expect.stringMatching(/^Downloading the Temporal CLI .* after \d+ s$/),
    );
    expect(await readdir(cacheDir)).toEqual([]);
  });

  const goBinary = locateGo();
  (goBinary === undefined ? it.skip : it)('says why a build failed', async () => {
    const closedPort = await openSilentProxy();
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
    const error = await unavailable({
      env: {
        PATH: [binDir, dirname(goBinary ?? '')].join(':'),
        HOME: directory.path,
        HTTPS_PROXY: closedPort,
        GOPROXY: 'off',
        GOFLAGS: '-modcacherw',
      },
      cacheDir,
    });
    expect(error.tried[3]?.reason).toMatch(/go ended with exit code 1:[^]*GOPROXY=off/);
  });

  it('ends a download at once when it is aborted', async () => {
    const silent = await openSilentProxy();
    const abort = new AbortController();
    const search = findTemporalCli({
      env: { PATH: binDir, HTTPS_PROXY: silent },
      cacheDir,
      signal: abort.signal,
      onProgress: () => {
        abort.abort(new Error('the user has changed their mind'));
      },
    });
    await expect(search).rejects.toThrow('the user has changed their mind');
    expect(await readdir(cacheDir)).toEqual([]);
  });

  async function putIntoCache(): Promise<void> {
    await mkdir(dirname(cachedTemporalCli(cacheDir)), { recursive: true });
    await symlink(realBinary, cachedTemporalCli(cacheDir));
  }

  async function openSilentProxy(): Promise<string> {
    const proxy = await SilentProxy.open();
    proxies.push(proxy);
    return proxy.url;
  }
});

async function unavailable(
  options: Parameters<typeof findTemporalCli>[0],
): Promise<DevServerUnavailable> {
  const error = await findTemporalCli(options).catch((caught: unknown) => caught);
  if (!(error instanceof DevServerUnavailable))
    throw new Error('expected DevServerUnavailable', { cause: error });
  return error;
}

function locateGo(): string | undefined {
  try {
    return `${execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim()}/bin/go`;
  } catch {
    return undefined;
  }
}

/** A proxy that accepts connections and never says a word: what a host behind a strict firewall is like. */
class SilentProxy {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      this.sockets.add(socket);
    });
  }

  static async open(): Promise<SilentProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address !== 'object') throw new Error('cannot listen');
    return new SilentProxy(server, `http://127.0.0.1:${String(address.port)}`);
  }

  asked(): boolean {
    return this.sockets.size > 0;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
