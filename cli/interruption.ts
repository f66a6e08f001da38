import { EXIT } from './exit-code.js';

/** A signal that comes within this time of the first is the same one: npm passes Ctrl-C on to who has got it already. */
const SAME_SIGNAL_MS = 300;

/** Waits for Ctrl-C or SIGTERM. */
export interface Interruption {
  /** Aborted with the first signal. */
  readonly signal: AbortSignal;
  /** The code to exit with when the work was given up because of it. */
  readonly exitCode: number;
  /** Lets signals do what they do by default again. */
  dispose(): void;
}

/** From now on the first SIGINT or SIGTERM asks to end in order, and the second ends the process at once. */
export function onInterruption(): Interruption {
  const controller = new AbortController();
  let exitCode: number = EXIT.interrupted;
  let firstAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    exitCode = signal === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
    const now = Date.now();
    if (firstAt === undefined) {
      firstAt = now;
      controller.abort();
    } else if (now - firstAt > SAME_SIGNAL_MS) {
      process.exit(exitCode);
    }
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    dispose: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}

/** Resolves when the signal is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
