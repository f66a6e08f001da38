import { describe, expect, it, jest } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import pino from 'pino';
import { z } from 'zod';
import { FlowReconciliation } from '../../../engine/data-flow/flow-reconciliation.js';
import { defineDataFlow, type DataFlow } from '../../../src/data-flow/data-flow.js';
import { useFlowStack } from '../../support/flow-stack.js';
import { uniqueFlow } from '../../support/flows.js';
import { useTemporal } from '../../support/temporal.js';

jest.setTimeout(60_000);

const temporal = useTemporal();
const start = useFlowStack(temporal);

function leveled(name: string, level: number): DataFlow {
  const configuration = z.object({ level: z.number().default(level) });
  return defineDataFlow({ name, configuration, run: () => undefined });
}

describe('two versions of the code at the same time', () => {
  it('do not take turns with their defaults, and leave what an operator has set', async () => {
    const name = uniqueFlow();
    const before = await start({ flows: [leveled(name, 1)], worker: false });
    await before.flows.reconcile();
    const after = await start({ flows: [leveled(name, 2)], beside: before });
    await after.flows.reconcile();
    const level = async (): Promise<unknown> =>
      (await before.flows.show(name)).record.configuration['level'];
    expect(await level()).toBe(2);
    for (const stack of [before, after, before]) {
      await stack.flows.reconcile();
      expect(await level()).toBe(2);
    }
    // As the old code has it: it is the operator's all the same.
    await after.flows.change(name, { configuration: { level: 1 } });
    for (const stack of [before, after, before]) {
      await stack.flows.reconcile();
      expect(await level()).toBe(1);
    }
  });
});

describe('a reconciliation', () => {
  it('says each time which flows there are, and declares one that the catalog has lost', async () => {
    const name = uniqueFlow();
    const { flows } = await start({ flows: [leveled(name, 1)], worker: false });
    await flows.reconcile();
    const { seenAt } = (await flows.show(name)).record;
    await delay(10);
    await flows.reconcile();
    expect((await flows.show(name)).record.seenAt.getTime()).toBeGreaterThan(seenAt.getTime());
    await flows.catalog.remove(name);
    await flows.reconcile();
    expect(await flows.catalog.flow(name)).toMatchObject({ configuration: { level: 1 } });
  });

  it('declares what a reload has brought', async () => {
    const name = uniqueFlow();
    const before = await start({ flows: [leveled(name, 1)], worker: false });
    const after = await start({ flows: [leveled(name, 2)], beside: before });
    let deployed = before.project.registry.dataFlows;
    const { catalog, starter, schedules } = before.flows;
    const log = pino({ level: 'silent' });
    const parts = { catalog, starter, schedules, log, flows: () => deployed };
    const reconciliation = new FlowReconciliation(parts);
    await reconciliation.run(new Date());
    deployed = after.project.registry.dataFlows;
    await reconciliation.run(new Date());
    expect((await catalog.flow(name))?.configuration).toEqual({ level: 2 });
  });
});
