import { describe, expect, it, jest } from '@jest/globals';
import { ulid } from 'ulid';
import { claimScheduled } from '../../../engine/data-flow/scheduled-claim.js';
import { defineDataFlow } from '../../../src/data-flow/data-flow.js';
import { TRIGGER_WORKFLOW, type ClaimTask } from '../../../src/data-flow/run.js';
import type { OverlapPolicy } from '../../../src/data-flow/schedule.js';
import { useContinuingTemporal } from '../../support/continuing-temporal.js';
import { useFlowStack, type FlowStack } from '../../support/flow-stack.js';
import { endOf, uniqueFlow } from '../../support/flows.js';
import { useGates } from '../../support/gate.js';
import { until } from '../../support/until.js';

jest.setTimeout(60_000);

// So few that a trigger which waits continues as new after a look or two.
const temporal = useContinuingTemporal(12);
const start = useFlowStack(temporal);
const gate = useGates();

const TIME = '2026-03-01T12:00:00.000Z';

/** A flow whose first run waits at the gate. */
async function waiting(overlap: OverlapPolicy) {
  const name = uniqueFlow();
  const stuck = gate();
  const flow = defineDataFlow({
    name,
    schedule: { cron: '0 0 1 1 *' },
    overlap,
    run: ({ run }) => (run.id.endsWith('/1') ? stuck.pass() : undefined),
  });
  return { name, stuck, stack: await start({ flows: [flow] }) };
}

function claim({ flows }: FlowStack, task: ClaimTask) {
  return claimScheduled({ flows, client: temporal.client, afterExecute: false }, task);
}

function later(): Date {
  return new Date(Date.now() + 60_000);
}

async function trigger({ project }: FlowStack, name: string, scheduledAt: string) {
  return temporal.client.workflow.start(TRIGGER_WORKFLOW, {
    workflowId: `test-trigger/${ulid()}`,
    taskQueue: project.config.asyncQueue,
    args: [name, scheduledAt],
  });
}

describe('a claim of a scheduled time whose answer was lost', () => {
  it.each(['CANCEL_OTHER', 'TERMINATE_OTHER', 'SKIP'] as const)(
    'is answered with its own run when a reconciliation has started that meanwhile: %s',
    async (overlap) => {
      const { name, stuck, stack } = await waiting(overlap);
      const { flows } = stack;
      const task = { flow: name, scheduledAt: TIME, first: true };
      const lost = await claim(stack, task);
      expect((await flows.reconciliation.run(later())).started).toEqual([`flow/${name}/1`]);
      await stuck.reached;
      expect(await claim(stack, task)).toEqual(lost);
      stuck.open();
      const [run] = await flows.runs(name, { limit: 5 });
      expect(await endOf(flows, run!)).toMatchObject({ runSeq: 1, status: 'success' });
      // It may even be over.
      expect(await claim(stack, task)).toEqual({
        kind: 'skipped',
        reason: 'run 1 was for this time',
      });
      expect(await flows.runs(name, { limit: 5 })).toHaveLength(1);
    },
  );

  it('leaves the run alone that goes on already, and ends with it started elsewhere', async () => {
    const { name, stuck, stack } = await waiting('CANCEL_OTHER');
    const { flows } = stack;
    await claim(stack, { flow: name, scheduledAt: TIME, first: true });
    await flows.reconciliation.run(later());
    await stuck.reached;
    const triggered = await trigger(stack, name, TIME);
    expect(await triggered.result()).toEqual({
      run: `flow/${name}/1`,
      status: 'started elsewhere',
    });
    stuck.open();
    const [run] = await flows.runs(name, { limit: 5 });
    expect(await endOf(flows, run!)).toMatchObject({ runSeq: 1, status: 'success' });
  });
});

describe('a scheduled time that waits for the end of another run', () => {
  it('continues as new, and runs as that time when the other is over', async () => {
    const { name, stuck, stack } = await waiting('BUFFER_ONE');
    const { flows } = stack;
    const active = await flows.run(name);
    await stuck.reached;
    const triggered = await trigger(stack, name, TIME);
    const { firstExecutionRunId } = triggered;
    await until(async () => {
      const { runId } = await temporal.client.workflow.getHandle(triggered.workflowId).describe();
      return runId === firstExecutionRunId ? undefined : true;
    }, 30_000);
    stuck.open();
    await endOf(flows, active);
    expect(await triggered.result()).toEqual({ run: `flow/${name}/2`, status: 'completed' });
    expect(await flows.findRun(name, '2')).toMatchObject({
      trigger: 'schedule',
      status: 'success',
      scheduledAt: new Date(TIME),
    });
  });
});
