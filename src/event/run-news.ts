import type { Json } from '../definition/json.js';
import type { Failure } from '../pipeline/failure.js';
import type { StepEventPlan } from '../task/plan.js';

/** What workflow code has the worker log and publish. Plain data: it leaves the sandbox by the name of the sink. */
export type RunNews =
  /** Where it `continues` another one as new, that one's start was its own. */
  | { readonly what: 'started'; readonly continues: boolean }
  | {
      readonly what: 'ended';
      readonly status: 'completed' | 'failed' | 'timed_out' | 'cancelled';
      readonly failure?: Failure;
      readonly durationMs: number;
    };

/** What becomes of a step that no activity runs: an approval, or one that somebody resolves by hand. */
export interface StepNews {
  /** The step of the template, and the step's own name. */
  readonly step: string;
  readonly name: string;
  readonly declared: readonly StepEventPlan[];
  readonly startedAt: number;
  readonly end?: { readonly result: Json } | { readonly failure: Failure };
}

/** The sinks by which workflow code tells the worker's process what happens. Nothing of it is repeated at replays. */
export type EventSinks = {
  readonly millrace: {
    readonly run: (news: RunNews) => void;
    readonly step: (news: StepNews) => void;
  };
};
