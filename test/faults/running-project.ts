import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { config, post } from '../cli/fixtures.js';
import type { CliOptions, CliProcess } from '../support/cli.js';
import { COUNT_WORDS, WORD_REPORT, writeProject, type ProjectFiles } from '../support/project.js';
import { sharedServerAddress, uniqueTaskQueue } from '../support/temporal.js';

/** Answers with as much text as Temporal takes, and a bit less. */
const LARGE = `import { defineOperation } from 'millrace';
import { z } from 'zod';

export const large = defineOperation({
  name: 'large',
  sets: z.object({ text: z.string() }),
  run: () => ({ text: 'x'.repeat(1_500_000) }),
});
`;

/** Counts words, and makes large results. */
export const PROJECT: ProjectFiles = {
  'operations/count-words.ts': COUNT_WORDS,
  'operations/large.ts': LARGE,
  'pipelines/word-report.yml': WORD_REPORT,
  'pipelines/large.yml':
    'name: large\nstages:\n  - name: only\n    operations: [{ type: large }]\n',
};

/** Where a test's project is and how its processes are started: `useTemporaryDirectory()`, `useCli()`. */
export interface Processes {
  readonly dir: { readonly path: string };
  readonly start: (args: readonly string[], options: CliOptions) => CliProcess;
}

/** Processes of a project that serve. */
export interface Running {
  readonly url: string;
  readonly port: number;
  readonly serverPid: number;
}

/** A server process and a worker process. */
export async function runProject(
  { start, dir }: Processes,
  files: ProjectFiles,
  more = '',
  env: Readonly<Record<string, string>> = {},
): Promise<Running> {
  await writeProject(dir.path, { 'millrace.config.ts': config(uniqueTaskQueue(), more), ...files });
  const all = { TEMPORAL_ADDRESS: sharedServerAddress(), ...env };
  const server = start(['server', '--port', '0'], { cwd: dir.path, env: all });
  const worker = start(['worker'], { cwd: dir.path, env: all });
  const [, url = ''] = await server.says(/"url":"(http:[^"]+)"/);
  await worker.says(/worker ready/);
  return { url, port: Number(new URL(url).port), serverPid: server.pid };
}

/** Asks for short runs until told to stop; gives what each took in milliseconds. */
export function keepAsking(url: string): { stop(): Promise<readonly number[]> } {
  const tookMs: number[] = [];
  const stop = new AbortController();
  const asking = (async () => {
    while (!stop.signal.aborted) {
      const began = performance.now();
      const { status } = await post(`${url}/pipelines/word-report`, { text: 'one two' });
      if (status !== 200) throw new Error(`answered with ${String(status)}`);
      tookMs.push(performance.now() - began);
      await delay(250);
    }
  })();
  return {
    stop: async () => {
      stop.abort();
      await asking;
      return tookMs;
    },
  };
}

/** Resident memory of a process in MiB. */
export async function memoryMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
}

/** Opens a connection and writes to it; what comes back is read unless the connection is paused. */
export async function dial(
  port: number,
  text: string,
): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  // However it ends, it has ended.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return { socket, received: () => received };
}

/** When each connection was closed by the other side, in milliseconds from now; fails after a while. */
export async function closings(
  sockets: readonly Socket[],
  withinMs: number,
): Promise<readonly number[]> {
  const began = performance.now();
  return Promise.all(
    sockets.map(async (socket) => {
      if (!socket.destroyed)
        await Promise.race([
          once(socket, 'close'),
          delay(withinMs).then(() => {
            throw new Error(`still open after ${String(withinMs)} ms`);
          }),
        ]);
      return performance.now() - began;
    }),
  );
}

/** Established connections to a port of this machine, as the side that listens sees them. */
export async function connectionsTo(port: number): Promise<number> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n').slice(1);
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address, , state]) => address?.endsWith(local) === true && state === '01').length;
}
