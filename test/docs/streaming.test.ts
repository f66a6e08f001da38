import { createServer, request, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { useTemporal } from '../support/temporal.js';
import { projectOf, ROOT } from './page.js';
import { useRunningProjects } from './running-project.js';

/** What the page's modules export; its own blocks say so. */
interface Page {
  readonly runEvents: (
    url: string,
    input: object,
  ) => AsyncGenerator<{ id?: string; type: string; data: Record<string, unknown> }>;
  readonly showSummary: (url: string, text: string, show: (line: string) => void) => Promise<void>;
}

const TEXT =
  'Die Mühle steht am Fluß. Der Fluß dreht das Rad. Das Rad dreht die Mühle. 水車は回る。';

const temporal = useTemporal();

describe('docs/streaming.md', () => {
  const start = useRunningProjects(temporal);
  const proxies: Server[] = [];
  let folder = '';
  let page: Page;
  let url = '';

  beforeAll(async () => {
    const project = await start({});
    for (const name of ['operations', 'pipelines', 'millrace.config.ts']) {
      cpSync(join(ROOT, 'examples/quickstart', name), join(project.dir, name), { recursive: true });
    }
    await project.worker();
    url = await project.server();
    // Below node_modules, so that the bundle finds the packages that it leaves out.
    const parent = join(ROOT, 'node_modules/.cache/millrace');
    await mkdir(parent, { recursive: true });
    folder = await mkdtemp(join(parent, 'docs-'));
    page = await bundled(folder);
  }, 60_000);

  afterAll(async () => {
    for (const proxy of proxies) proxy.closeAllConnections();
    await Promise.all(proxies.map((proxy) => new Promise((resolve) => proxy.close(resolve))));
    await rm(folder, { recursive: true, force: true });
  });

  /** Passes everything on, in chunks of so many bytes; cuts the first connections off after so many chunks. */
  const proxy = async (
    chunkBytes: number,
    cutOffAfter: readonly number[] = [],
  ): Promise<{ readonly url: string; readonly requests: string[] }> => {
    const requests: string[] = [];
    const cuts = [...cutOffAfter];
    const server = createServer((incoming, outgoing) => {
      const { method = '', url: path = '', headers } = incoming;
      requests.push(`${method} ${path.replace(/executions\/\w+/, 'executions/ID')}`);
      const left = cuts.shift();
      const passed = request(`${url}${path}`, { method, headers }, (response) => {
        outgoing.writeHead(response.statusCode ?? 500, response.headers);
        void passOn(response, outgoing, chunkBytes, left);
      });
      incoming.pipe(passed);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxies.push(server);
    return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, requests };
  };

  const collect = async (
    target: string,
  ): Promise<{ id?: string; type: string; data: Record<string, unknown> }[]> => {
    const events = [];
    for await (const event of page.runEvents(`${target}/pipelines/summarize`, { text: TEXT }))
      events.push(event);
    return events;
  };

  it('reads events whose bytes arrive one by one', async () => {
    const { url: slow } = await proxy(1);
    const events = await collect(slow);
    expect(events[0]).toMatchObject({ type: 'pipe_started', data: { pipe: 'summarize' } });
    const { summary } = events.at(-1)!.data['result'] as { summary: string[] };
    expect(summary.join(' ')).toContain('Fluß');
  });

  it('goes on after a connection that broke, losing and repeating nothing', async () => {
    const { url: broken, requests } = await proxy(64, [12, 3]);
    const events = await collect(broken);
    const told = events.filter(({ id }) => id !== undefined);
    expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);
    const whole = await collect(url);
    expect(told.map(({ type }) => type)).toEqual(
      whole.filter(({ id }) => id !== undefined).map(({ type }) => type),
    );
    expect(requests).toEqual([
      'POST /pipelines/summarize/stream',
      'GET /pipelines/summarize/executions/ID/events',
      'GET /pipelines/summarize/executions/ID/events',
    ]);
  });

  it('repeats a first request that was cut off before anything came, and starts one run', async () => {
    const { url: broken, requests } = await proxy(64, [0]);
    const events = await collect(broken);
    expect(events.at(-1)!.type).toBe('complete');
    expect(requests.length).toBeGreaterThan(1);
    expect(
      new Set(events.flatMap(({ id }) => (id === undefined ? [] : [id.split('.')[0]]))).size,
    ).toBe(1);
  });

  it('gives up at once where the request is wrong', async () => {
    const events = page.runEvents(`${url}/pipelines/summarize`, { text: 7 });
    await expect(events.next()).rejects.toMatchObject({ response: { status: 422 } });
  });

  it('shows a run', async () => {
    const lines: string[] = [];
    await page.showSummary(url, TEXT, (line) => lines.push(line));
    expect(lines.filter((line) => line.endsWith('…'))).toEqual(['split …', 'score …', 'pick …']);
    expect(lines.at(-1)).toMatch(/^\{"summary":\[/);
  });
});

async function passOn(
  from: AsyncIterable<Buffer>,
  to: ServerResponse,
  bytes: number,
  cutOffAfter = Infinity,
): Promise<void> {
  let chunks = 0;
  for await (const data of from) {
    for (let at = 0; at < data.length; at += bytes) {
      if (chunks >= cutOffAfter) {
        to.destroy();
        return;
      }
      chunks += 1;
      to.write(data.subarray(at, at + bytes));
      // Chunks that are written at once would arrive at once.
      if (chunks % 8 === 0) await delay(1);
    }
  }
  if (cutOffAfter === 0) to.destroy();
  else to.end();
}

/** The page's modules as a bundler for browsers makes them, but for packages. */
async function bundled(dir: string): Promise<Page> {
  const files = projectOf('docs/streaming.md');
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(dir, 'browser'), { recursive: true });
    await writeFile(join(dir, path), text);
  }
  await writeFile(
    join(dir, 'entry.ts'),
    `export * from './browser/run-events.js';\nexport * from './browser/show-summary.js';\n`,
  );
  const outfile = join(dir, 'page.mjs');
  await build({
    entryPoints: [join(dir, 'entry.ts')],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'browser',
    format: 'esm',
    logLevel: 'error',
  });
  return (await import(pathToFileURL(outfile).href)) as Page;
}
