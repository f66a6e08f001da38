import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import { StoreReadTimeout, StoreUnusable } from '../../../src/record-store/errors.js';
import { STORE_QUESTION_LIMITS } from '../../../src/record-pipeline/store-question.js';
import { reasonOf } from '../connection.js';
import {
  readDatabase,
  type ReadMessage,
  type ReadRows,
  type ReadStatement,
  type ReadTask,
} from './read-thread.js';

/** What is read of which database. */
export interface ReadRequest {
  readonly file: string;
  /** Another database, which statements call `older`. */
  readonly older?: string;
  readonly statements: readonly ReadStatement[];
}

/** Threads of this process that read at once; others wait for them. */
const threads = pLimit(2);

/**
 * Reads a database beside whatever else is done with it: in a thread of its own, all statements as it is at one moment.
 *
 * @returns the rows of each statement
 * @throws {@link StoreUnusable}, {@link StoreReadTimeout}, and the signal's reason
 */
export async function readFile(
  request: ReadRequest,
  signal: AbortSignal,
): Promise<readonly ReadRows[]> {
  return threads(() => read(request, signal));
}

async function read(
  { file, older, statements }: ReadRequest,
  signal: AbortSignal,
): Promise<readonly ReadRows[]> {
  signal.throwIfAborted();
  const task: ReadTask = {
    driver: createRequire(import.meta.url).resolve('better-sqlite3'),
    file,
    older: older ?? null,
    statements,
  };
  const { readMs } = STORE_QUESTION_LIMITS;
  const thread = new Worker(`(${readDatabase.toString()})(require)`, {
    eval: true,
    workerData: task,
  });
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => undefined;
  try {
    return await new Promise((resolve, reject) => {
      thread.on('message', (message: ReadMessage) => {
        if (message.kind === 'read') resolve(message.results);
        else reject(failure(file, message));
      });
      thread.on('error', reject);
      thread.on('exit', () => {
        reject(new StoreUnusable(file, 'could not be read: the thread ended.'));
      });
      timer = setTimeout(() => {
        reject(new StoreReadTimeout(file, readMs));
      }, readMs);
      onAbort = () => {
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    // SQLite comes back from what it is doing first: nobody waits for that.
    void thread.terminate();
  }
}

function failure(file: string, { message, code }: { message: string; code: string }): Error {
  const reason = reasonOf(code);
  return reason === undefined ? new Error(`${file}: ${message}`) : new StoreUnusable(file, reason);
}
