import { setTimeout as delay } from 'node:timers/promises';
import { RunNotFound } from '../../engine/errors.js';
import type { DataFlows } from '../../engine/data-flow/data-flows.js';
import type { Engine } from '../../engine/engine.js';
import type { Run } from '../../engine/run.js';
import type { FlowRunRecord } from '../../src/data-flow/catalog.js';
import { formatEventId, type EventPosition, type RunEvent } from '../../src/progress/run-event.js';
import { readLastEventId } from '../query-parameters.js';
import type { EventStreams } from '../sse.js';
import { flowsFor, type FlowRequest } from './data-flow-request.js';

/** A run that is claimed is waited for: its workflow starts a moment later, or when the Temporal server is back. */
const START_WAIT = { ms: 30_000, everyMs: 500 } as const;

/**
 * `GET /data_flows/:name/runs/:id/events`: the events of a run, past ones first, then those to come, then the end. With
 * `Last-Event-ID` it goes on after that event. Of a run that Temporal keeps no longer, the end alone is told.
 */
export async function streamFlowEvents(request: FlowRequest, streams: EventStreams): Promise<void> {
  const { ctx, api, name, id } = request;
  const flows = await flowsFor(request);
  const record = await flows.findRun(name, id);
  const after = readLastEventId(ctx);
  const told = new FlowStory(flows, api.engine, record);
  if (after !== undefined && !(await told.hasNews(after))) {
    // This makes an EventSource stop reconnecting (HTML standard): it has had everything.
    ctx.status = 204;
    return;
  }
  ctx.set('X-Execution-Id', String(record.runSeq));
  if (ctx.method === 'HEAD') {
    ctx.status = 200;
    return;
  }
  streams.reserve().open(ctx, record.workflowId, (signal) => told.events(after, signal));
}

/** What there is to tell of a run: by Temporal, while it knows the run, else by the catalog. */
class FlowStory {
  readonly #run: Run;

  constructor(
    private readonly flows: DataFlows,
    engine: Engine,
    private readonly record: FlowRunRecord,
  ) {
    const { flow: name, runSeq } = record;
    this.#run = engine.runWithId({ kind: 'flow', name, executionId: String(runSeq) });
  }

  async *events(
    after: EventPosition | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<RunEvent, void> {
    for (const deadline = Date.now() + START_WAIT.ms; ;) {
      const told = await this.#teller();
      if (told === 'temporal') {
        yield* this.#run.events({ after, signal, hints: true });
        return;
      }
      if (told !== undefined) {
        yield told;
        return;
      }
      if (Date.now() > deadline) throw new RunNotFound(this.record.flow, this.record.id);
      await delay(START_WAIT.everyMs, undefined, { signal });
    }
  }

  /** False when the run is over and this was its last event. */
  async hasNews(after: EventPosition): Promise<boolean> {
    const status = await this.flows.starter.workflowStatus(this.record);
    if (status === 'RUNNING') return true;
    if (status === undefined) return this.record.endedAt === null || after.runId !== this.record.id;
    for await (const _event of this.#run.events({ after })) return true;
    return false;
  }

  /** Who can tell of the run: Temporal, or the catalog by its last event; undefined when the run has not begun. */
  async #teller(): Promise<'temporal' | RunEvent | undefined> {
    if ((await this.flows.starter.workflowStatus(this.record)) !== undefined) return 'temporal';
    const { flow, id } = this.record;
    return lastEvent(await this.flows.findRun(flow, id));
  }
}

/** How a run ended, as far as the catalog knows; undefined for one that is not over. */
function lastEvent(run: FlowRunRecord): RunEvent | undefined {
  const { endedAt, status, runSeq, counts } = run;
  if (endedAt === null) return undefined;
  // Temporal's ids of runs are UUIDs, those of the catalog ULIDs: neither is taken for the other.
  const id = formatEventId({ runId: run.id, eventId: 0, index: 0 });
  const time = endedAt.getTime();
  if (status === 'success') {
    const { read, written, rejected } = counts;
    const rows = { rows_read: read, rows_written: written, rows_rejected: rejected };
    return { id, type: 'complete', time, data: { result: { run_seq: runSeq, ...rows } } };
  }
  const type = 'execution_error';
  const code = status === 'cancelled' ? 'cancelled' : type;
  const message = run.errorMessage ?? `The run is ${status}.`;
  return { id, type: 'error', time, data: { type, message, code } };
}
