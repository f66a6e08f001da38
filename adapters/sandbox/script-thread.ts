import type { MessagePort } from 'node:worker_threads';
import type * as QuickJS from 'quickjs-emscripten-core';

/** What a thread is started with. */
export interface ScriptThreadData {
  /** Modules. */
  readonly core: string;
  readonly variant: string;
  readonly prelude: string;
  readonly memoryBytes: number;
}

/** A batch. */
export interface ScriptTask {
  readonly number: number;
  readonly code: string;
  /** JSON of the items. */
  readonly items: string;
  readonly timeoutMs: number;
  readonly outputCharacters: number;
  readonly logLines: number;
  readonly logCharacters: number;
}

/** What a thread tells of a batch: that it is at it, and what has come of it. */
export type ScriptMessage = { readonly number: number; readonly kind: 'begun' } | ScriptAnswer;

/** What has come of a batch. */
export type ScriptAnswer =
  | { readonly number: number; readonly kind: 'done'; readonly outcomes: string }
  | {
      readonly number: number;
      readonly kind: 'lost';
      readonly name: string;
      readonly message: string;
      readonly index: number | null;
      readonly timedOut: boolean;
      /** Its memory is not to be used again. */
      readonly isBroken: boolean;
    };

/** The parts of Node that a thread uses: it requires them itself. */
interface Threads {
  readonly parentPort: MessagePort | null;
  readonly workerData: ScriptThreadData;
}

/**
 * Runs scripts in QuickJS. In a thread of its own, from the text of this function: it may use nothing but what it is given and what it
 * requires.
 *
 * Making a context and freezing all of it takes ten times as long as a batch. So it is made once, and the memory of the WebAssembly module
 * as it is then is put back before each batch: nothing of one batch is there for the next, whatever it has done.
 */
export function runScripts(require: NodeJS.Require, lost: typeof lostBatch): void {
  const { parentPort, workerData } = require('node:worker_threads') as Threads;
  const { core, variant, prelude, memoryBytes } = workerData;
  const { newQuickJSWASMModuleFromVariant, newVariant } = require(core) as typeof QuickJS;
  const { default: build } = require(variant) as { default: QuickJS.QuickJSSyncVariant };
  // Node has it, and the types for Node do not.
  const { Memory } = (
    globalThis as unknown as { readonly WebAssembly: { readonly Memory: MemoryClass } }
  ).WebAssembly;
  const PAGE = 65_536;
  // What the build asks for, which holds QuickJS itself; then what scripts may have.
  const INITIAL_PAGES = 256;
  const STACK_BYTES = 256 * 1_024;

  const start = async (): Promise<(task: ScriptTask) => ScriptAnswer> => {
    const wasmMemory = new Memory({
      initial: INITIAL_PAGES,
      maximum: INITIAL_PAGES + Math.ceil(memoryBytes / PAGE),
    });
    const quickjs = await newQuickJSWASMModuleFromVariant(newVariant(build, { wasmMemory }));
    const runtime = quickjs.newRuntime();
    runtime.setMaxStackSize(STACK_BYTES);
    let until = Infinity;
    runtime.setInterruptHandler(() => performance.now() > until);
    const context = runtime.newContext();
    const made = context.unwrapResult(context.evalCode(prelude, 'millrace.js'));
    const run = context.getProp(made, 'run');
    const at = context.getProp(made, 'at');
    // Only as much as is used: the rest is empty.
    const all = new Uint8Array(wasmMemory.buffer);
    let used = all.length;
    while (used > 0 && all[used - 1] === 0) used -= 1;
    const image = all.slice(0, used);

    return (task) => {
      const memory = new Uint8Array(wasmMemory.buffer);
      memory.set(image);
      memory.fill(0, image.length);
      until = performance.now() + task.timeoutMs;
      try {
        const limits = context.newObject();
        for (const limit of ['outputCharacters', 'logLines', 'logCharacters'] as const)
          context.setProp(limits, limit, context.newNumber(task[limit]));
        const [code, items] = [context.newString(task.code), context.newString(task.items)];
        const result = context.callFunction(run, context.undefined, code, items, limits);
        if (result.error === undefined)
          return { number: task.number, kind: 'done', outcomes: context.getString(result.value) };
        const thrown: unknown = context.dump(result.error);
        const timedOut = performance.now() > until;
        until = Infinity;
        const place = context.callFunction(at, context.undefined);
        const index = place.error === undefined ? context.getNumber(place.value) : -1;
        return lost(task, thrown, { index: index < 0 ? null : index, timedOut, isBroken: false });
      } catch (error) {
        // WebAssembly itself has given up, half-way.
        const timedOut = performance.now() > until;
        return lost(task, error, { index: null, timedOut, isBroken: true });
      }
    };
  };

  const started = start();
  const tell = (message: ScriptMessage): void => {
    parentPort?.postMessage(message);
  };
  parentPort?.on('message', (task: ScriptTask) => {
    void started.then((run) => {
      tell({ number: task.number, kind: 'begun' });
      tell(run(task));
    });
  });
}

type MemoryClass = new (limits: { readonly initial: number; readonly maximum: number }) => {
  readonly buffer: ArrayBuffer;
};

/** What is told of a batch that has given nothing. Part of {@link runScripts}. */
export function lostBatch(
  { number }: ScriptTask,
  error: unknown,
  about: Pick<Extract<ScriptAnswer, { readonly kind: 'lost' }>, 'index' | 'timedOut' | 'isBroken'>,
): ScriptAnswer {
  const { name, message } = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly name?: unknown;
    readonly message?: unknown;
  };
  return { number, kind: 'lost', name: String(name), message: String(message ?? error), ...about };
}
