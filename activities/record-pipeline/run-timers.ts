import type { Log } from '../../src/pipeline/context.js';
import type { RunStats, RunTimer } from '../../src/record-pipeline/record-pipeline.js';

/** Has the timers of a run go off, counted from when the run began: it goes on over many activities. */
export class RunTimers {
  readonly #timers: readonly NodeJS.Timeout[];

  constructor(timers: readonly RunTimer[], startedAtMs: number, stats: () => RunStats, log: Log) {
    this.#timers = timers.map(({ seconds, act }) => {
      const periodMs = seconds * 1_000;
      let isActing = false;
      const go = async (): Promise<void> => {
        // One that takes longer than its period is left out, not done twice at once.
        if (isActing) return;
        isActing = true;
        try {
          await act(stats());
        } catch (error) {
          log.warn({ err: error }, 'a timer of the run failed');
        } finally {
          isActing = false;
        }
      };
      const sinceLast = (Date.now() - startedAtMs) % periodMs;
      const first = setTimeout(() => {
        void go();
        first.refresh();
      }, periodMs - sinceLast);
      return first;
    });
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
