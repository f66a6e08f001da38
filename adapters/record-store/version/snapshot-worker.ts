import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import {
  describeVersion,
  nameVersion,
  takeSnapshots,
  type SnapshotMessage,
  type SnapshotTask,
} from './snapshot-thread.js';

/** Starting a thread takes longer than copying a small store: one stays for so long after its last snapshot. */
const IDLE_MS = 5_000;

/** Who waits for a snapshot. */
export interface SnapshotWaiter {
  readonly onMessage: (message: SnapshotMessage) => void;
  /** The thread ended: nothing more comes. */
  readonly onEnd: (error: Error) => void;
}

/** The thread in which this process makes its versions, whatever stores they are of. */
class SnapshotWorker {
  readonly #thread: Worker;
  readonly #waiting = new Map<number, SnapshotWaiter>();
  #idle: NodeJS.Timeout | undefined;

  /** @param onEnd - called when it takes no more */
  constructor(private readonly onEnd: () => void) {
    const text = `(${takeSnapshots.toString()})(require, ${describeVersion.toString()}, ${nameVersion.toString()})`;
    const driver = createRequire(import.meta.url).resolve('better-sqlite3');
    this.#thread = new Worker(text, { eval: true, workerData: driver });
    const end = (error: Error): void => {
      this.onEnd();
      clearTimeout(this.#idle);
      for (const { onEnd: tell } of this.#waiting.values()) tell(error);
      this.#waiting.clear();
    };
    this.#thread.on('message', (message: SnapshotMessage) => {
      this.#waiting.get(message.number)?.onMessage(message);
      if (message.kind !== 'pinned') this.#ended(message.number);
    });
    this.#thread.on('error', end);
    this.#thread.on('exit', () => {
      end(new Error('its thread ended'));
    });
  }

  take(task: SnapshotTask, waiter: SnapshotWaiter): void {
    clearTimeout(this.#idle);
    this.#waiting.set(task.number, waiter);
    // The process stays until its versions are whole.
    this.#thread.ref();
    this.#thread.postMessage(task);
  }

  #ended(number: number): void {
    this.#waiting.delete(number);
    if (this.#waiting.size > 0) return;
    this.#thread.unref();
    this.#idle = setTimeout(() => {
      this.onEnd();
      void this.#thread.terminate();
    }, IDLE_MS).unref();
  }
}

let current: SnapshotWorker | undefined;
let taken = 0;

/** Has a snapshot taken, in a thread that was started before or is now. */
export function takeInThread(task: Omit<SnapshotTask, 'number'>, waiter: SnapshotWaiter): void {
  current ??= newWorker();
  taken += 1;
  current.take({ ...task, number: taken }, waiter);
}

function newWorker(): SnapshotWorker {
  const worker = new SnapshotWorker(() => {
    if (current === worker) current = undefined;
  });
  return worker;
}
