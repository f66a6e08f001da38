import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { quickjsSandbox, type SandboxLimits } from '../../../adapters/sandbox/quickjs-sandbox.js';
import type { Sandbox, ScriptItem } from '../../../src/attribute-pipeline/sandbox.js';

/** Node tells of each thread that is started here. */
const STARTED_THREADS = 'worker_threads';

/** Nothing in it looks whether its time is over. */
const DEAF = 'return Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1);';

const item = (n: number): ScriptItem => ({
  entityId: `e${String(n)}`,
  inputs: { n },
  value: null,
  meta: {},
});

describe('batches that wait', () => {
  const threads: Worker[] = [];
  /** What becomes of a thread as soon as it is started. */
  let onThread: (thread: Worker) => void;
  let sandbox: Sandbox | undefined;
  const started = (message: unknown): void => {
    const { worker } = message as { readonly worker: Worker };
    threads.push(worker);
    onThread(worker);
  };

  beforeEach(() => {
    threads.length = 0;
    onThread = () => undefined;
    subscribe(STARTED_THREADS, started);
  });
  afterEach(async () => {
    unsubscribe(STARTED_THREADS, started);
    await sandbox?.close();
  });

  function open(limits: Partial<SandboxLimits>): Sandbox {
    sandbox = quickjsSandbox({ memoryBytes: 16 * 1_024 * 1_024, ...limits });
    return sandbox;
  }

  /** Has three batches wait behind one, and gives what becomes of it and of them. */
  async function behind(
    code: string,
    limits: Partial<SandboxLimits>,
  ): Promise<readonly [unknown, ...unknown[]]> {
    const { run } = open(limits);
    const first = run(code, [item(0)]).catch((error: unknown) => error);
    const others = [1, 2, 3].map((n) => run('return $json.n * 2;', [item(n)]));
    return [await first, ...(await Promise.all(others))];
  }

  const COMPUTED = [2, 4, 6].map((value) => [expect.objectContaining({ kind: 'ok', value })]);

  it.each<readonly [string, string, Partial<SandboxLimits>, string]>([
    ['a loop without an end', 'for (;;) {}', { timeoutMs: 200 }, 'timeout'],
    [
      'what closes an iterator when it is interrupted',
      'return (function* () { for (;;) yield 1; })().forEach(() => 1);',
      { timeoutMs: 200 },
      'timeout',
    ],
    [
      'what fills the memory',
      'const x = []; for (;;) x.push("y".repeat(1e5) + x.length);',
      {},
      'memory',
    ],
    ['what gives too much', 'return "y".repeat(2e6);', { outputCharacters: 1e6 }, 'output'],
    ['what does not answer', DEAF, { timeoutMs: 200 }, 'timeout'],
  ])('are computed behind %s', async (_, code, limits, reason) => {
    const [first, ...others] = await behind(code, limits);
    expect(first).toMatchObject({ name: 'SandboxError', reason });
    expect(others).toEqual(COMPUTED);
  });

  it('are computed behind one whose thread has ended under it', async () => {
    onThread = (thread) => {
      thread.on('message', ({ kind, number }: { kind: string; number: number }) => {
        if (kind === 'begun' && number === 1) void thread.terminate();
      });
    };
    const [first, ...others] = await behind('for (;;) {}', {});
    expect(first).toMatchObject({
      name: 'SandboxError',
      reason: 'crashed',
      message: expect.stringMatching(/^The thread of the sandbox ended/),
    });
    expect(others).toEqual(COMPUTED);
    expect(threads).toHaveLength(2);
  });

  it('are given to another thread when one ends that has not begun with them', async () => {
    onThread = (thread) => {
      if (threads.length < 3) void thread.terminate();
    };
    const outcomes = await open({}).run('return $json.n;', [item(1), item(2)]);
    expect(outcomes).toMatchObject([{ value: 1 }, { value: 2 }]);
    expect(threads).toHaveLength(3);
  });

  it('can be tried again when no thread begins with them', async () => {
    // More than WebAssembly can have.
    const running = open({ memoryBytes: 2 ** 33 }).run('return 1;', [item(1)]);
    await expect(running).rejects.toMatchObject({
      name: 'SandboxUnavailable',
      reason: 'start',
      message: expect.stringMatching(/^No thread of the sandbox has begun: .*maximum/),
    });
    expect(threads).toHaveLength(3);
  });

  it('can be tried again elsewhere when the sandbox is closed, as can the one that is at work', async () => {
    const { run, close } = open({});
    const begun = new Promise<void>((resolve) => {
      onThread = (thread) => thread.once('message', () => resolve());
    });
    const runs = [run('for (;;) {}', [item(1)]), run('return 1;', [item(2)])];
    const ended = Promise.allSettled(runs);
    await begun;
    await close();
    const closed = { reason: { name: 'SandboxUnavailable', reason: 'closed' } };
    expect(await ended).toMatchObject([closed, closed]);
    expect(threads).toHaveLength(1);
  });

  it('do not wait longer for a thread that does not answer than two seconds after its time', async () => {
    const { run } = open({ timeoutMs: 100 });
    await run('return 1;', [item(1)]);
    const startedAt = performance.now();
    // QuickJS would know at which item it was: it is the host that ends it.
    await expect(run(DEAF, [item(1)])).rejects.toMatchObject({
      name: 'SandboxError',
      reason: 'timeout',
      index: null,
      message: expect.stringMatching(/longer than 100 ms \(timeoutMs\)\./),
    });
    expect(performance.now() - startedAt).toBeGreaterThan(2_050);
    expect(threads).toHaveLength(1);
    expect(await run('return $json.n;', [item(2)])).toMatchObject([{ value: 2 }]);
    expect(threads).toHaveLength(2);
  });
});
