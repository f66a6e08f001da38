import type { SqliteStore } from '../../adapters/record-store/sqlite-store.js';
import type { Log } from '../../src/pipeline/context.js';
import { durationMs } from '../../src/definition/duration.js';
import type { VersionReason } from '../../src/record-store/store.js';

/** A run makes a version so often unless its store says otherwise. */
const EVERY_MS = 30_000;

/** Makes the versions of a run, as the store's policy says: beside the work, one at a time. */
export class RunVersions {
  readonly #everyMs: number;
  readonly #records: number;
  readonly #isNone: boolean;
  readonly isEachGroup: boolean;
  #lastAtMs: number;
  #sinceLast = 0;
  #making: Promise<void> | undefined;

  constructor(
    private readonly store: SqliteStore,
    private readonly run: string,
    private readonly log: Log,
  ) {
    const { duringRuns = {} } = store.definition.versions ?? {};
    this.#isNone = duringRuns === 'none';
    this.isEachGroup = duringRuns === 'transaction';
    const policy = typeof duringRuns === 'object' ? duringRuns : {};
    this.#everyMs = policy.every === undefined ? EVERY_MS : durationMs(policy.every);
    this.#records = policy.records ?? Infinity;
    const last = store.files.list().at(-1)?.at;
    this.#lastAtMs = last === undefined ? 0 : Date.parse(last);
  }

  /** Called when something was written: makes a version when it is time for one. */
  written(records: number, step: string): void {
    this.#sinceLast += records;
    const isTime = Date.now() - this.#lastAtMs >= this.#everyMs || this.#sinceLast >= this.#records;
    if (this.#isNone || this.#making !== undefined) return;
    if (isTime || this.isEachGroup) void this.make('interval', step);
  }

  /**
   * Makes a version of what there is now.
   *
   * @returns when its content is fixed: work may go on while it is copied
   */
  async make(reason: VersionReason, step?: string): Promise<void> {
    if (this.#isNone) return;
    // Others may have waited for it, too, and begun the next.
    while (this.#making !== undefined) await this.#making;
    this.#lastAtMs = Date.now();
    this.#sinceLast = 0;
    try {
      const snapshot = this.store.snapshot(reason, {
        run: this.run,
        ...(step !== undefined && { step }),
      });
      this.#making = snapshot.done.then(
        () => undefined,
        (error: unknown) => {
          this.#complain(error);
        },
      );
      void this.#making.then(() => {
        this.#making = undefined;
      });
      await snapshot.pinned;
    } catch (error) {
      this.#complain(error);
    }
  }

  /** Resolves when no version is being made. */
  async settled(): Promise<void> {
    await this.#making;
  }

  /** The records are worth more than their versions: the run goes on. */
  #complain(error: unknown): void {
    this.log.warn({ err: error }, 'no version could be made; the run goes on');
  }
}
