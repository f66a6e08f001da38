import type { Client } from '@temporalio/client';
import type { BackfillRange, FlowRunRecord, FlowTrigger } from '../../src/data-flow/catalog.js';
import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import { flowStart, type ClaimOutcome, type ClaimTask } from '../../src/data-flow/run.js';
import { FlowNotFound } from './flow-errors.js';
import type { DataFlows } from './data-flows.js';

/** What {@link claimScheduled} works with. */
export interface ScheduledClaimParts {
  readonly flows: DataFlows;
  readonly client: Client;
  readonly afterExecute: boolean;
}

/**
 * Claims the next run of a flow for a scheduled time. What happens while another run is active is what the flow's overlap
 * policy says: it holds for runs that no schedule has started, too.
 *
 * @throws {@link FlowNotFound} when this process's code lacks the flow: another process is asked then
 */
export async function claimScheduled(
  parts: ScheduledClaimParts,
  { flow: name, scheduledAt: written, first }: ClaimTask,
): Promise<ClaimOutcome> {
  const { flows, afterExecute } = parts;
  const { record, definition, configurationProblems } = await flows.show(name);
  if (definition === undefined) throw new FlowNotFound(name);
  if (configurationProblems.length > 0)
    return { kind: 'skipped', reason: 'the configuration does not fit its schema' };
  const scheduledAt = written === undefined ? undefined : new Date(written);
  const trigger = triggerOf(record.backfills, scheduledAt);
  const claim = await flows.starter.claim({
    flow: name,
    trigger,
    now: new Date(),
    onlyEnabled: trigger === 'schedule',
    after: definition.after,
    ...(scheduledAt !== undefined && { scheduledAt }),
  });
  switch (claim.kind) {
    case 'claimed':
      return { kind: 'start', start: flowStart(definition, claim.run, { afterExecute }) };
    case 'active':
      if (isOwn(claim.run, trigger, scheduledAt))
        return { kind: 'start', start: flowStart(definition, claim.run, { afterExecute }) };
      return overlapping(parts, definition, claim.run, { trigger, first });
    case 'over':
      return { kind: 'skipped', reason: `run ${String(claim.run.runSeq)} was for this time` };
    case 'disabled':
      return { kind: 'skipped', reason: 'the flow is disabled' };
    case 'unknown':
      throw new FlowNotFound(name);
    case 'not_due':
    case 'waiting':
      return { kind: 'skipped', reason: 'the flow is not due' };
  }
}

async function overlapping(
  { client }: ScheduledClaimParts,
  { overlap }: CompiledDataFlow,
  active: FlowRunRecord,
  { trigger, first }: { readonly trigger: FlowTrigger; readonly first: boolean },
): Promise<ClaimOutcome> {
  // Somebody has asked for each of these times.
  if (trigger === 'backfill') return { kind: 'busy' };
  if (overlap === 'SKIP')
    return { kind: 'skipped', reason: `run ${String(active.runSeq)} is ${active.status}` };
  const handle = client.workflow.getHandle(active.workflowId);
  const reason = 'A scheduled run is due, and the overlap policy of the flow lets it take over.';
  if (first && overlap === 'CANCEL_OTHER') await handle.cancel();
  if (first && overlap === 'TERMINATE_OTHER') await handle.terminate(reason);
  return { kind: 'busy' };
}

/** The claim of an earlier attempt, whose answer was lost. A reconciliation may have started it since. */
function isOwn(run: FlowRunRecord, trigger: FlowTrigger, scheduledAt: Date | undefined): boolean {
  return (
    run.trigger === trigger &&
    scheduledAt !== undefined &&
    run.scheduledAt?.getTime() === scheduledAt.getTime()
  );
}

/** Temporal does not tell a run of a backfill from another; the ranges that were asked for do. */
function triggerOf(ranges: readonly BackfillRange[], at: Date | undefined): FlowTrigger {
  const inRange = ({ start, end }: BackfillRange): boolean =>
    at !== undefined && new Date(start) <= at && at <= new Date(end);
  return ranges.some(
    (range) => inRange(range) && at !== undefined && new Date(range.requestedAt) > at,
  )
    ? 'backfill'
    : 'schedule';
}
