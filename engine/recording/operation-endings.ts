import { FAILURE_TYPES } from '../../src/pipeline/failure.js';
import type { PipelinePlan } from '../../src/pipeline/plan.js';
import type { HistoryEvent, OperationPlace } from '../../src/progress/history-event.js';
import type { RecordedOperation } from './recording.js';

/** A worker gave these back: the operation goes on elsewhere. */
const HANDED_BACK: readonly string[] = [
  FAILURE_TYPES.workerShutdown,
  FAILURE_TYPES.operationNotRegistered,
];

/** What the operations of a pipeline's run did, gathered from its history. */
export class OperationEndings {
  #plan: PipelinePlan | undefined;
  readonly #scheduled = new Map<number, OperationPlace>();
  readonly #ended = new Map<string, RecordedOperation>();

  /** In the order in which they ended. */
  get all(): readonly RecordedOperation[] {
    return [...this.#ended.values()];
  }

  take(event: HistoryEvent): void {
    switch (event.type) {
      case 'run_started':
        this.#plan = event.plan;
        break;
      case 'activity_scheduled':
        if (event.place !== undefined) this.#scheduled.set(event.eventId, event.place);
        break;
      case 'activity_completed': {
        const place = this.#scheduled.get(event.scheduledEventId);
        if (place !== undefined && event.outcome !== undefined)
          this.#end(place, event.outcome.effect);
        break;
      }
      case 'activity_failed': {
        const place = this.#scheduled.get(event.scheduledEventId);
        const { failure } = event;
        if (place !== undefined && !HANDED_BACK.includes(failure.type))
          this.#end(place, { kind: 'failed', failure });
        break;
      }
      case 'quick_completed':
        for (const { stage, operation, outcome, failure } of event.outcome.operations) {
          if (outcome !== undefined) this.#end({ stage, operation }, outcome.effect);
          else if (failure !== undefined)
            this.#end({ stage, operation }, { kind: 'failed', failure });
        }
        break;
      default:
    }
  }

  #end(
    place: Pick<OperationPlace, 'stage' | 'operation'>,
    effect: RecordedOperation['effect'],
  ): void {
    const stage = this.#plan?.stages[place.stage];
    const operation = stage?.operations[place.operation];
    if (stage === undefined || operation === undefined) return;
    const key = `${String(place.stage)}.${String(place.operation)}`;
    this.#ended.set(key, { stage: stage.name, operation: operation.name, effect });
  }
}
