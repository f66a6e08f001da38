import type { Json } from '../src/definition/json.js';
import type { Log, ModelUsage, OperationFailure, Progress } from '../src/pipeline/context.js';

/** One line that a body logged. */
export interface ReportedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string | undefined;
}

/** One call of `heartbeat`. */
export interface ReportedHeartbeat {
  readonly progress: Progress;
  /** What the next attempt would get; undefined where the call named none. */
  readonly checkpoint: Json | undefined;
}

/** What an operation reported beside its result, in order. Made before the run, it is there when the run fails, too. */
export class OperationReport {
  readonly lines: ReportedLine[] = [];
  readonly heartbeats: ReportedHeartbeat[] = [];
  readonly usage: ModelUsage[] = [];
  /** The failure as predicates, events and results would see it; undefined unless the body failed. */
  failure: OperationFailure | undefined;

  /** Writes into the report. */
  readonly log: Log = {
    debug: this.#writer('debug'),
    info: this.#writer('info'),
    warn: this.#writer('warn'),
    error: this.#writer('error'),
  };

  #writer(level: ReportedLine['level']): (fields: object | string, message?: string) => void {
    return (fields, message) => {
      this.lines.push(
        typeof fields === 'string'
          ? { level, fields: {}, message: fields }
          : { level, fields, message },
      );
    };
  }
}
