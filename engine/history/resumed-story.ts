import { isAfter, type EventPosition, type RunEvent } from '../../src/progress/run-event.js';
import type { PlacedEvent } from './run-fold.js';

/**
 * What of a run's story is news to a reader who has had it up to some event. A run that continues as new is a chain of
 * runs: events of those before the reader's are no news, which is known once the reader's own has been met.
 */
export class ResumedStory {
  #held: RunEvent[] = [];
  #met: boolean;

  /**
   * @param after - the last event that the reader had; undefined for none
   * @param firstRunId - the first run of the chain
   */
  constructor(
    private readonly after: EventPosition | undefined,
    firstRunId: string,
  ) {
    this.#met = after === undefined || after.runId === firstRunId;
  }

  /** What to tell now that the story's next event is known. */
  take({ position, event }: PlacedEvent): readonly RunEvent[] {
    const { after } = this;
    if (after === undefined) return [event];
    if (!this.#met && position.runId !== after.runId) {
      this.#held.push(event);
      return [];
    }
    this.#met = true;
    this.#held = [];
    return position.runId !== after.runId || isAfter(position, after) ? [event] : [];
  }

  /** What is left to tell when the story is over: all of it, when the reader's last event was never met. */
  rest(): readonly RunEvent[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }
}
