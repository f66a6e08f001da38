import { fork } from 'node:child_process';
import { once } from 'node:events';

/**
 * Of each measured process: without a limit V8 lets garbage pile up as long as the machine has memory, which tells nothing of
 * what is needed.
 */
const HEAP_MB = 192;

/** Longest time of one measured process, unless it is said. */
const LIMIT_MS = 5 * 60_000;

/** What every measured process tells beside what its work has come to. */
export interface Peak {
  /** The most memory that the process has had. */
  readonly peakBytes: number;
}

/** A measured process that has ended without an answer. */
export class MeasuredProcessFailed extends Error {
  override readonly name = 'MeasuredProcessFailed';
  constructor(program: URL, code: unknown) {
    super(`${program.pathname} ended with ${String(code)} and no result; its error is above`);
  }
}

/**
 * Runs a program in a process of its own, and waits for its end.
 *
 * @param program - one that calls {@link answerParent}
 * @throws {@link MeasuredProcessFailed}
 */
export async function measureProcess<R extends object>(
  program: URL,
  task: object,
  limitMs = LIMIT_MS,
): Promise<R & Peak> {
  const child = fork(program, [JSON.stringify(task)], {
    timeout: limitMs,
    execArgv: [`--max-old-space-size=${String(HEAP_MB)}`],
  });
  const ended = once(child, 'exit');
  const [result] = (await Promise.race([
    once(child, 'message'),
    ended.then(([code]) => {
      throw new MeasuredProcessFailed(program, code);
    }),
  ])) as [R & Peak];
  await ended;
  return result;
}

/** Does what a measured process was started for, and tells its parent. */
export async function answerParent<R extends object>(
  work: (task: never) => Promise<R>,
): Promise<void> {
  // The benchmark puts there what the work takes.
  const result = await work(JSON.parse(process.argv[2] ?? '') as never);
  // Kilobytes, on every system that libuv knows.
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  process.send?.({ ...result, peakBytes } satisfies R & Peak);
  process.disconnect();
}
