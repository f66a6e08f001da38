import type { LoadedDataConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { foldEvent, HistoryFold } from '../../src/progress/fold.js';
import type { HistoryEvent } from '../../src/progress/history-event.js';
import type { Told } from '../../src/progress/progress-writer.js';
import type { RunProgress } from '../../src/progress/progress.js';
import { formatEventId, type EventPosition, type RunEvent } from '../../src/progress/run-event.js';
import { isClosed } from '../../src/progress/status.js';
import { HistoryDecoder } from './decode.js';

/** An event with its place in the story of its run. */
export interface PlacedEvent {
  readonly position: EventPosition;
  readonly event: RunEvent;
}

/** A run's history, folded as far as it was read. */
export class RunFold {
  readonly events: PlacedEvent[] = [];
  readonly #decoder: HistoryDecoder;
  #fold: HistoryFold | undefined;
  #runId: string;

  constructor(converter: LoadedDataConverter, runId: string) {
    this.#decoder = new HistoryDecoder(converter);
    this.#runId = runId;
  }

  /** The run of the chain that is being read: continue-as-new starts another. */
  get runId(): string {
    return this.#runId;
  }

  /** Undefined until the first event was read. */
  get progress(): RunProgress | undefined {
    return this.#fold?.state.progress;
  }

  get closed(): boolean {
    return this.#fold !== undefined && isClosed(this.#fold.status);
  }

  /** Takes the next events of the history. */
  async take(events: readonly temporal.api.history.v1.IHistoryEvent[]): Promise<void> {
    for (const event of events) await this.#takeOne(event);
  }

  async #takeOne(event: temporal.api.history.v1.IHistoryEvent): Promise<void> {
    const continued = event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
    if (continued) {
      this.#runId = continued;
      return;
    }
    const decoded = await this.#decoder.decode(event);
    if (decoded === undefined) return;
    this.#tell(decoded).forEach((told, index) => {
      const position = { runId: this.#runId, eventId: decoded.eventId, index };
      this.events.push({ position, event: { id: formatEventId(position), ...told } });
    });
  }

  #tell(event: HistoryEvent): readonly Told[] {
    if (this.#fold === undefined) {
      const { state, events } = foldEvent(undefined, event);
      this.#fold = new HistoryFold(state);
      return events;
    }
    // The next run of a chain begins again, which is no news to who watches.
    return event.type === 'run_started' ? [] : this.#fold.take(event);
  }
}
