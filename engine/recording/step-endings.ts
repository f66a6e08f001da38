import { FAILURE_TYPES } from '../../src/pipeline/failure.js';
import type { HistoryEvent } from '../../src/progress/history-event.js';
import type { StepSignal } from '../../src/task/step-signal.js';
import type { RecordedStep } from './recording.js';

/** A worker gave these back: the step goes on elsewhere. */
const HANDED_BACK: readonly string[] = [
  FAILURE_TYPES.workerShutdown,
  FAILURE_TYPES.handlerNotRegistered,
];

/** How the steps of a task's run have ended, gathered from its history. */
export class StepEndings {
  /** In the order in which they ended. */
  readonly all: RecordedStep[] = [];
  /** What somebody has told of them, in order. */
  readonly told: StepSignal[] = [];
  readonly #scheduled = new Map<number, string>();

  take(event: HistoryEvent): void {
    switch (event.type) {
      case 'run_started':
        // The numbers of events begin again where a run continues as a new one.
        this.#scheduled.clear();
        break;
      case 'activity_scheduled':
        if (event.step !== undefined) this.#scheduled.set(event.eventId, event.step);
        break;
      case 'activity_completed': {
        const step = this.#scheduled.get(event.scheduledEventId);
        if (step === undefined || event.stepOutcome === undefined) break;
        const { result, branches, ranges } = event.stepOutcome;
        this.all.push({
          step,
          ended: {
            kind: 'done',
            result,
            ...(branches !== undefined && { branches }),
            ...(ranges !== undefined && { ranges }),
          },
        });
        break;
      }
      case 'activity_failed': {
        const step = this.#scheduled.get(event.scheduledEventId);
        const { failure } = event;
        if (step !== undefined && !HANDED_BACK.includes(failure.type))
          this.all.push({ step, ended: { kind: 'failed', failure } });
        break;
      }
      case 'step_signalled':
        this.told.push(event.signal);
        break;
      case 'approval_timed_out':
        this.all.push({ step: event.step, ended: { kind: 'unanswered' } });
        break;
      default:
    }
  }
}
