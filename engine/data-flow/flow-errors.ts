import type { FlowRunRecord } from '../../src/data-flow/catalog.js';
import { TemporalUnavailable } from '../temporal-request.js';

/** There is no data flow with this name. */
export class FlowNotFound extends Error {
  override readonly name = 'FlowNotFound';
  constructor(readonly flow: string) {
    super(`There is no data flow "${flow}".`);
  }
}

/** The flow has no run with this id or number. */
export class FlowRunNotFound extends Error {
  override readonly name = 'FlowRunNotFound';
  constructor(
    readonly flow: string,
    readonly id: string,
  ) {
    super(`Data flow "${flow}" has no run "${id}".`);
  }
}

/** A run of the flow is active, and there is at most one. */
export class FlowActive extends Error {
  override readonly name = 'FlowActive';
  constructor(readonly run: FlowRunRecord) {
    super(
      `Run ${String(run.runSeq)} of "${run.flow}" is ${run.status}; at most one run of a flow is active.`,
    );
  }
}

/** Something has begun a run of the flow while it was about to be removed. */
export class FlowNotRemoved extends Error {
  override readonly name = 'FlowNotRemoved';
  constructor(readonly flow: string) {
    super(
      `Data flow "${flow}" was not removed: runs of it begin all the time. Some process still has it.`,
    );
  }
}

/** The flow is not started by a Temporal Schedule, so that what was asked for is not there. */
export class FlowNotScheduled extends Error {
  override readonly name = 'FlowNotScheduled';
  constructor(
    readonly flow: string,
    what: string,
  ) {
    super(
      `Data flow "${flow}" has no schedule of Temporal's, and so no ${what}: its definition has no cron and no interval.`,
    );
  }
}

/** The run is over: there is nothing left to cancel. */
export class FlowRunOver extends Error {
  override readonly name = 'FlowRunOver';
  constructor(readonly run: FlowRunRecord) {
    super(`Run ${String(run.runSeq)} of "${run.flow}" is already over: ${run.status}.`);
  }
}

/** The run is claimed, and the Temporal server did not answer. A reconciliation starts it when the server is back. */
export class FlowStartDelayed extends TemporalUnavailable {
  constructor(
    readonly run: FlowRunRecord,
    { waitedMs, cause }: TemporalUnavailable,
  ) {
    super(waitedMs, cause);
    this.message = `Run ${String(run.runSeq)} of "${run.flow}" is claimed; it will be started as soon as the Temporal server answers again.`;
  }
}
