import type { DirectVariant, Scenario } from './cells.js';

/** What the load generator asks of the measured process, by name: the argument and the answer. */
export interface SubjectCalls {
  /** Milliseconds of one run. */
  run: { argument: { scenario: Scenario; variant: DirectVariant }; answer: number };
  /** Milliseconds of many runs. */
  block: {
    argument: { scenario: Scenario; variant: DirectVariant; runs: number; atOnce: number };
    answer: number;
  };
  /** CPU milliseconds that the process has used so far, all of its threads together. */
  cpu: { argument: null; answer: number };
  /** Ids of a run's events. */
  eventIds: { argument: { executionId: string }; answer: readonly string[] };
  stop: { argument: null; answer: null };
}

/** A call on its way to the measured process. */
export type SubjectCall = {
  [Name in keyof SubjectCalls]: {
    readonly id: number;
    readonly name: Name;
    readonly argument: SubjectCalls[Name]['argument'];
  };
}[keyof SubjectCalls];

/** What comes back: first where the HTTP server listens, then one answer for each call. */
export type SubjectMessage =
  | { readonly kind: 'ready'; readonly url: string }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: string };

/** Environment variable with the address of the Temporal server, for the measured process. */
export const ADDRESS_VARIABLE = 'BENCH_TEMPORAL_ADDRESS';
