import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A Redis of this benchmark's own. */
export interface Redis {
  /** Its socket. */
  readonly socket: string;
  readonly stop: () => Promise<void>;
}

/** Longest wait for it to answer. */
const START_MS = 10_000;

const PROGRAM = 'redis-server';

/** What of BullMQ is missing on this machine; undefined when it can be measured. */
export function missingForBullmq(): string | undefined {
  const { resolve } = createRequire(import.meta.url);
  for (const name of ['bullmq', 'ioredis'])
    try {
      resolve(name);
    } catch {
      return `the package ${name} is not installed`;
    }
  const { error } = spawnSync(PROGRAM, ['--version']);
  return error === undefined ? undefined : `there is no ${PROGRAM} in PATH`;
}

/** Starts a Redis that keeps nothing on disk, which is when it is fastest. */
export async function startRedis(): Promise<Redis> {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-bench-redis-'));
  const socket = join(dir, 'redis.sock');
  const args = ['--port', '0', '--unixsocket', socket, '--dir', dir];
  const server = spawn(PROGRAM, [...args, '--save', '', '--appendonly', 'no'], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  const stop = async (): Promise<void> => {
    server.kill();
    await ended;
    await rm(dir, { recursive: true, force: true });
  };
  const until = performance.now() + START_MS;
  while (!(await answers(socket))) {
    if (performance.now() > until || server.exitCode !== null) {
      await stop();
      throw new Error(`${PROGRAM} did not answer within ${String(START_MS / 1_000)} s`);
    }
    await sleep(20);
  }
  return { socket, stop };
}

/** Whether anybody takes connections on a socket. */
async function answers(socket: string): Promise<boolean> {
  const connection = connect(socket);
  try {
    await once(connection, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    connection.destroy();
  }
}
