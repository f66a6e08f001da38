import { afterEach } from '@jest/globals';

/** Something that a test lets happen later. */
export interface Gate {
  /** Resolves when somebody is there. */
  readonly reached: Promise<void>;
  /** Waits until it is opened; rejects when the signal is aborted before. */
  readonly pass: (signal?: AbortSignal) => Promise<void>;
  readonly open: () => void;
}

/** A gate that is closed. */
export function gate(): Gate {
  let open: () => void = () => undefined;
  let arrive: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const reached = new Promise<void>((resolve) => (arrive = resolve));
  return {
    reached,
    open: () => {
      open();
    },
    pass: (signal) => {
      arrive();
      return signal === undefined ? opened : Promise.race([opened, abortOf(signal)]);
    },
  };
}

/** Gives gates that are opened after each test, so that nobody waits at them for ever. */
export function useGates(): () => Gate {
  const gates: Gate[] = [];
  afterEach(() => {
    for (const { open } of gates.splice(0)) open();
  });
  return () => {
    const made = gate();
    gates.push(made);
    return made;
  };
}

async function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
}
