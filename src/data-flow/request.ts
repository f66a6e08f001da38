import type { Json } from '../definition/json.js';
import type { FlowTrigger } from './catalog.js';

/** What a run of a flow was started with. */
export interface FlowRequest<Configuration = Readonly<Record<string, Json>>> {
  /** As the catalog had it when the run began: the defaults of the code, and what operators have changed. */
  readonly configuration: Configuration;
  readonly trigger: FlowTrigger;
  /** The time of the schedule that the run was started for; undefined for runs that no schedule started. */
  readonly scheduledAt: Date | undefined;
}

/** Something that may depend on what a run was started with. */
export type Requested<T, Configuration> = T | ((request: FlowRequest<Configuration>) => T);
