import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Sandbox, ScriptItem, ScriptOutcome } from '../../src/attribute-pipeline/sandbox.js';
import { preludeCode } from './prelude.js';
import { SandboxError, SandboxUnavailable } from './sandbox-errors.js';
import { scriptProblem } from './script-problem.js';
import {
  lostBatch,
  runScripts,
  type ScriptAnswer,
  type ScriptMessage,
  type ScriptTask,
  type ScriptThreadData,
} from './script-thread.js';

/** What scripts may take. */
export interface SandboxLimits {
  /** Longest time of a batch, in milliseconds. */
  readonly timeoutMs: number;
  /** What a batch may need beside QuickJS itself. */
  readonly memoryBytes: number;
  /** Most characters of the outcomes of a batch, as JSON. */
  readonly outputCharacters: number;
  /** Most lines that an item may write, and most characters of each. */
  readonly logLines: number;
  readonly logCharacters: number;
  /** Threads, each with one batch at a time. */
  readonly threads: number;
  /** Most batches that wait for a thread. */
  readonly waiting: number;
}

/** What holds unless something else is asked for. */
export const SANDBOX_LIMITS: SandboxLimits = {
  timeoutMs: 10_000,
  memoryBytes: 64 * 1_024 * 1_024,
  outputCharacters: 16 * 1_024 * 1_024,
  logLines: 50,
  logCharacters: 1_000,
  threads: 1,
  waiting: 100,
};

/** Most scripts that are known to be sound. */
const MOST_SOUND = 100;

/** A thread whose script cannot even be interrupted is ended so long after its time is over, in milliseconds. */
const GRACE_MS = 2_000;

/** Longest time until a thread begins with a batch: it may have to be started first, on a machine that is busy. In milliseconds. */
const START_MS = 30_000;

/** Threads that are tried for a batch until one begins with it. */
const MOST_STARTS = 3;

/** When a batch may ask again that has found too many waiting, in milliseconds. */
const BUSY_MS = 1_000;

/**
 * Runs scripts in QuickJS, in WebAssembly, in threads of their own. Threads are started when they are needed, and let the process end.
 * `run` throws {@link SandboxError} when a batch is lost by what it did, {@link SandboxUnavailable} when it was not run for what others
 * did, and the signal's reason.
 */
export function quickjsSandbox(given: Partial<SandboxLimits> = {}): Sandbox {
  const limits = { ...SANDBOX_LIMITS, ...given };
  const threads = Array.from({ length: limits.threads }, () => new ScriptThread(limits));
  const free = [...threads];
  const turns: LimitFunction = pLimit(limits.threads);
  const sound = new Set<string>();
  let isClosed = false;
  return {
    run: async (code, items, { signal } = {}) => {
      if (isClosed) throw closed();
      signal?.throwIfAborted();
      if (!sound.has(code)) {
        const problem = scriptProblem(code);
        if (problem !== undefined) throw new SandboxError('script', problem.message);
        // Runs come with the same script for each batch, which is parsed once.
        if (sound.size >= MOST_SOUND) sound.clear();
        sound.add(code);
      }
      if (turns.pendingCount >= limits.waiting)
        throw new SandboxUnavailable(
          'busy',
          `${String(limits.waiting)} batches of scripts wait already (waiting). Try again later.`,
          BUSY_MS,
        );
      return turns(async () => {
        if (isClosed) throw closed();
        signal?.throwIfAborted();
        const thread = free.pop();
        if (thread === undefined) throw new Error('there is a thread for each turn');
        try {
          return await thread.run(code, items, signal);
        } finally {
          free.push(thread);
        }
      });
    },
    check: (code) => Promise.resolve(scriptProblem(code)),
    close: async () => {
      isClosed = true;
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

/** One thread, started again when a script has broken it. */
class ScriptThread {
  #worker: Worker | undefined;
  #number = 0;
  #isClosed = false;

  constructor(private readonly limits: SandboxLimits) {}

  async run(
    code: string,
    items: readonly ScriptItem[],
    signal: AbortSignal | undefined,
  ): Promise<readonly ScriptOutcome[]> {
    const { timeoutMs, outputCharacters, logLines, logCharacters } = this.limits;
    this.#number += 1;
    const task: ScriptTask = {
      number: this.#number,
      code,
      items: JSON.stringify(items),
      timeoutMs,
      outputCharacters,
      logLines,
      logCharacters,
    };
    const answer = await this.#answer(task, signal);
    if (answer.kind === 'lost') {
      if (answer.isBroken) await this.#end();
      throw this.#lost(answer);
    }
    // The prelude has made it of outcomes alone.
    return JSON.parse(answer.outcomes) as readonly ScriptOutcome[];
  }

  /** For good: a batch that it is at is not run to its end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#end();
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  /** A batch that no thread has begun with is given to another one: whatever has ended the first, it was not this batch. */
  async #answer(task: ScriptTask, signal: AbortSignal | undefined): Promise<ScriptAnswer> {
    for (let starts = 1; ; starts += 1) {
      if (this.#isClosed) throw closed();
      signal?.throwIfAborted();
      try {
        return await this.#ask(task, signal);
      } catch (error) {
        // Whatever it does now, nobody waits for it.
        await this.#end();
        const mayBegin = error instanceof SandboxUnavailable && error.reason === 'start';
        if (!mayBegin || starts === MOST_STARTS) throw error;
      }
    }
  }

  async #ask(task: ScriptTask, signal: AbortSignal | undefined): Promise<ScriptAnswer> {
    const worker = (this.#worker ??= this.#start());
    worker.ref();
    let timer: NodeJS.Timeout | undefined;
    let stop = (): void => undefined;
    let hasBegun = false;
    try {
      const answer = await new Promise<ScriptAnswer>((resolve, reject) => {
        const limit = (ms: number, error: () => Error): void => {
          clearTimeout(timer);
          timer = setTimeout(() => {
            reject(error());
          }, ms);
        };
        const onMessage = (message: ScriptMessage): void => {
          if (message.number !== task.number) return;
          if (message.kind === 'begun') {
            hasBegun = true;
            limit(task.timeoutMs + GRACE_MS, () => this.#late(null));
          } else resolve(message);
        };
        const onError = (error: Error): void => {
          reject(this.#ended(hasBegun, error.message));
        };
        const onExit = (): void => {
          reject(this.#ended(hasBegun, 'nobody knows why.'));
        };
        const onAbort = (): void => {
          reject(signal?.reason as Error);
        };
        worker.on('message', onMessage).on('error', onError).on('exit', onExit);
        signal?.addEventListener('abort', onAbort, { once: true });
        limit(START_MS, () => notBegun(`not within ${String(START_MS)} ms.`));
        stop = () => {
          worker.off('message', onMessage).off('error', onError).off('exit', onExit);
          signal?.removeEventListener('abort', onAbort);
        };
        worker.postMessage(task);
      });
      worker.unref();
      return answer;
    } finally {
      clearTimeout(timer);
      stop();
    }
  }

  #start(): Worker {
    const { resolve } = createRequire(import.meta.url);
    const data: ScriptThreadData = {
      core: resolve('quickjs-emscripten-core'),
      variant: resolve('@jitl/quickjs-wasmfile-release-sync'),
      prelude: preludeCode(),
      memoryBytes: this.limits.memoryBytes,
    };
    const worker = new Worker(`(${runScripts.toString()})(require, ${lostBatch.toString()})`, {
      eval: true,
      workerData: data,
    });
    // Told to who waits, when somebody does.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    return worker;
  }

  #ended(hasBegun: boolean, message: string): Error {
    if (this.#isClosed) return closed();
    return hasBegun
      ? new SandboxError('crashed', `The thread of the sandbox ended: ${message}`)
      : notBegun(message);
  }

  #lost({
    name,
    message,
    index,
    timedOut,
  }: Extract<ScriptAnswer, { readonly kind: 'lost' }>): SandboxError {
    const { memoryBytes, outputCharacters } = this.limits;
    if (timedOut || message === 'interrupted') return this.#late(index);
    if (/out of memory|memory access out of bounds/.test(message))
      return new SandboxError(
        'memory',
        `The batch took more than ${String(memoryBytes)} bytes of memory (memoryBytes)${place(index)}. Keep less, or make the batches smaller.`,
        index,
      );
    if (name === 'RangeError' && message === 'output')
      return new SandboxError(
        'output',
        `What the batch gives has more than ${String(outputCharacters)} characters (outputCharacters)${place(index)}.`,
        index,
      );
    return new SandboxError(
      'crashed',
      `The sandbox failed${place(index)}: ${name}: ${message}`,
      index,
    );
  }

  #late(index: number | null): SandboxError {
    const { timeoutMs } = this.limits;
    return new SandboxError(
      'timeout',
      `The batch took longer than ${String(timeoutMs)} ms (timeoutMs)${place(index)}. Look for a loop without an end, or make the batches smaller.`,
      index,
    );
  }
}

function closed(): SandboxUnavailable {
  return new SandboxUnavailable('closed', 'The sandbox was closed.');
}

function notBegun(message: string): SandboxUnavailable {
  return new SandboxUnavailable('start', `No thread of the sandbox has begun: ${message}`);
}

function place(index: number | null): string {
  return index === null ? '' : `, at item ${String(index)}`;
}
