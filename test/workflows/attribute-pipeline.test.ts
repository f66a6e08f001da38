import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import { z } from 'zod';
import { AttributeRunActive } from '../../engine/attribute-pipeline/attribute-errors.js';
import { ATTRIBUTE_DEFAULTS } from '../../src/attribute-pipeline/attribute.js';
import { defineModule, moduleResult } from '../../src/attribute-pipeline/module.js';
import { by, useAttributeStacks } from '../support/attribute-stack.js';
import { until } from '../support/until.js';

const integer = { dataType: 'integer' } as const;
const computed = { ...integer, editable: 'no' } as const;

describe('a run of an attribute pipeline', () => {
  const start = useAttributeStacks();

  it('computes the values of all entities, and the next one those of what has changed', async () => {
    const stack = await start({}, { width: integer, height: integer, area: computed });
    const { attributes } = stack;
    await stack.save({ a: { width: 2, height: 3 }, b: { width: 4, height: 5 } });
    await stack.calculate('area', ['width', 'height'], 'return $json.width * $json.height');
    const run = await attributes.run(stack.place('area'), { principal: 'ann' });
    expect(await run.handle.result()).toEqual({
      run: run.run.id,
      processed: 2,
      failed: 0,
      skipped: 0,
      unchanged: 0,
      batches: 1,
      tokensIn: null,
      tokensOut: null,
      cost: null,
    });
    expect(await stack.values('area')).toEqual({ a: 6, b: 20 });
    expect(await attributes.runs.run(run.run.id)).toMatchObject({
      status: 'completed',
      trigger: 'manual',
      principal: 'ann',
      workflowId: run.run.workflowId,
      pipelineVersion: 1,
    });
    await stack.save({ b: { width: 10 } });
    const next = await attributes.run(stack.place('area'));
    expect(await next.handle.result()).toMatchObject({ processed: 1, unchanged: 0 });
    expect(await stack.values('area')).toEqual({ a: 6, b: 50 });
  });

  it('tells how far it is by the events of the run', async () => {
    const stack = await start({}, { width: integer, area: computed });
    await stack.save({ a: { width: 2 }, b: { width: 4 }, c: { width: 5 } });
    await stack.calculate('area', ['width'], 'return $json.width', { batchSize: 2 });
    const {
      run: { id },
      handle,
    } = await stack.attributes.run(stack.place('area'));
    await handle.result();
    const name = `${stack.type}.area`;
    const watched = stack.env.engine.runWithId({
      kind: 'attribute_pipeline',
      name,
      executionId: id,
    });
    const events = [];
    for await (const { type, data } of watched.events()) events.push({ type, data });
    expect(events).toEqual([
      { type: 'attribute_run_started', data: { attribute_pipeline: name, run: id } },
      {
        type: 'attribute_run_begun',
        data: { attribute_pipeline: name, run: id, pipeline_version: 1, total: 3 },
      },
      {
        type: 'attribute_run_progress',
        data: expect.objectContaining({ completed: 3, total: 3, processed: 3, batches: 2 }),
      },
      { type: 'complete', data: { result: expect.objectContaining({ processed: 3 }) } },
    ]);
  });

  it('ends at the first entity that fails, with the reason, and keeps what came before it', async () => {
    const stack = await start({}, { width: integer, area: computed });
    const [, b] = await stack.save({ a: { width: 2 }, b: { width: 0 }, c: { width: 5 } });
    const code = "if ($json.width === 0) throw new RangeError('no width'); return $json.width";
    await stack.calculate('area', ['width'], code, { batchSize: 1 });
    const run = await stack.attributes.run(stack.place('area'));
    await expect(run.handle.result()).rejects.toThrow(WorkflowFailedError);
    expect(await stack.values('area')).toEqual({ a: 2 });
    expect(await stack.attributes.runs.run(run.run.id)).toMatchObject({
      status: 'failed',
      counts: { processed: 1, failed: 1 },
      errorMessage: `Entity ${b!} failed in module calculation: RangeError: no width (line 1)`,
    });
  });

  it('goes on after failures where the pipeline says so, and tries them again when it is asked to', async () => {
    const stack = await start({}, { width: integer, area: computed });
    await stack.save({ a: { width: 2 }, b: { width: 0 }, c: { width: 5 } });
    const code = "if ($json.width === 0) throw new RangeError('no width'); return $json.width";
    await stack.calculate('area', ['width'], code, { onError: 'continue' });
    const run = await stack.attributes.run(stack.place('area'));
    expect(await run.handle.result()).toMatchObject({ processed: 2, failed: 1 });
    await stack.save({ b: { width: 7 } });
    const again = await stack.attributes.run(stack.place('area'), { retryOf: run.run.id });
    expect(await again.handle.result()).toMatchObject({ processed: 1, failed: 0 });
    expect(await stack.values('area')).toEqual({ a: 2, b: 7, c: 5 });
  });

  it('computes entities that are there, and fails those of which it names others', async () => {
    const stack = await start({}, { next: { dataType: 'text' } });
    const { entities, runs } = stack.attributes;
    const related = { dataType: 'belongs_to_multi', relatedType: stack.type } as const;
    const attribute = { ...ATTRIBUTE_DEFAULTS, ...related, editable: 'no' } as const;
    await entities.addAttribute(stack.type, { ...attribute, name: 'links' }, by());
    const [, b] = await stack.save({ a: {}, b: {}, c: {} });
    await stack.save({ a: { next: b! }, b: { next: 'nobody' } });
    const code = 'return $json.next === null ? null : [$json.next]';
    const { modules } = await stack.calculate('links', ['next'], code, { onError: 'continue' });
    const run = await stack.attributes.run(stack.place('links'));
    expect(await run.handle.result()).toMatchObject({ processed: 2, failed: 1 });
    expect(await stack.values('links')).toEqual({ a: [b], c: null });
    const message = `links: there is no ${stack.type} "nobody".`;
    expect(await runs.failures(run.run.id, { limit: 9 })).toMatchObject({
      items: [{ entityKey: 'b', module: 'calculation', message }],
    });
    // As it would be where nothing is saved.
    const report = await stack.attributes.tryModules(stack.place('links'), modules, b!);
    expect(report).toMatchObject({ status: 'error', message });
  });

  it('computes everything anew where it is forced', async () => {
    const stack = await start({}, { width: integer, area: computed });
    await stack.save({ a: { width: 2 }, b: { width: 3 } });
    await stack.calculate('area', ['width'], 'return $json.width');
    await (await stack.attributes.run(stack.place('area'))).handle.result();
    const idle = await stack.attributes.run(stack.place('area'));
    expect(await idle.handle.result()).toMatchObject({ processed: 0, unchanged: 0, batches: 0 });
    const forced = await stack.attributes.run(stack.place('area'), { force: true });
    expect(await forced.handle.result()).toMatchObject({ processed: 2 });
  });
});

describe('two runs of an attribute pipeline', () => {
  const start = useAttributeStacks();

  /** A project with a pipeline whose module waits until it is let go. */
  async function gated() {
    const gate = { isOpen: false, batches: 0 };
    const gateModule = defineModule({
      slug: 'gate',
      label: 'Gate',
      description: 'Waits.',
      type: 'processor',
      settings: z.strictObject({}),
      process: async (contexts, { signal }) => {
        gate.batches += 1;
        while (!gate.isOpen) await delay(20, undefined, { signal });
        return contexts.map(({ inputs }) => moduleResult.ok(inputs['width'] ?? null));
      },
    });
    const stack = await start({ modules: [gateModule] }, { width: integer, area: computed });
    await stack.save({ a: { width: 2 } });
    await stack.calculate('area', ['width'], 'return 1', {
      modules: [
        { module: 'attributes_source', settings: { attributes: ['width'] } },
        { module: 'gate', settings: {} },
      ],
    });
    return { stack, gate, place: stack.place('area') };
  }

  it('do not go on at the same time: the second is refused, or waits, as it was asked', async () => {
    const { stack, gate, place } = await gated();
    const { attributes } = stack;
    const first = await attributes.run(place);
    await until(() => Promise.resolve(gate.batches === 1 || undefined));
    await expect(attributes.run(place)).rejects.toThrow(AttributeRunActive);
    const second = await attributes.run(place, { queue: true, force: true });
    gate.isOpen = true;
    expect(await first.handle.result()).toMatchObject({ processed: 1 });
    expect(await second.handle.result()).toMatchObject({ processed: 1 });
    const { items } = await attributes.runs.runs({ limit: 10 }, place);
    expect(items.map(({ status, runSeq }) => [runSeq, status])).toEqual([
      [2, 'completed'],
      [1, 'completed'],
    ]);
  });

  it('let the pipeline free when the first is cancelled, or was terminated', async () => {
    const { stack, gate, place } = await gated();
    const { attributes } = stack;
    const first = await attributes.run(place);
    await until(() => Promise.resolve(gate.batches === 1 || undefined));
    await attributes.cancelRun(first.run.id);
    await expect(first.handle.result()).rejects.toThrow(WorkflowFailedError);
    expect(await attributes.runs.run(first.run.id)).toMatchObject({ status: 'aborted' });
    const second = await attributes.run(place);
    await until(() => Promise.resolve(gate.batches === 2 || undefined));
    await stack.env.engine.temporal.client.workflow.getHandle(second.run.workflowId).terminate();
    const third = await attributes.run(place);
    await until(() => Promise.resolve(gate.batches === 3 || undefined));
    gate.isOpen = true;
    expect(await third.handle.result()).toMatchObject({ processed: 1 });
    expect(await attributes.runs.run(second.run.id)).toMatchObject({
      status: 'aborted',
      errorMessage: 'The run was ended from outside.',
    });
  });
});

describe('a run with a budget', () => {
  const start = useAttributeStacks();

  /** Twenty products, and a prompt that costs 1 for each of them. */
  async function priced(budgets: { readonly runBudget?: number; readonly dayBudget?: number }) {
    const calls = { count: 0 };
    const stack = await start(
      {
        models: {
          fast: {
            capabilities: ['text', 'json'],
            price: { input: 1_000, output: 0 },
            generate: () => {
              calls.count += 1;
              return Promise.resolve({
                output: { value: 'good', justification: 'so', confidence: 1 },
                inputTokens: 1_000,
                outputTokens: 10,
              });
            },
          },
        },
      },
      { width: integer, verdict: { dataType: 'text', editable: 'no' } },
    );
    await stack.save(
      Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`p${String(n)}`, { width: n }])),
    );
    const pipeline = await stack.calculate('verdict', [], '', {
      ...budgets,
      modules: [
        { module: 'attributes_source', settings: { attributes: ['width'] } },
        { module: 'ai_prompt', settings: { model: 'fast', prompt: 'Good?' } },
      ],
    });
    const { run, handle } = await stack.attributes.run(stack.place('verdict'));
    const spent = async (cost: number) => {
      const { cost: found } = await stack.attributes.runs.run(run.id);
      return found === cost ? true : undefined;
    };
    return { stack, calls, pipeline, run, handle, spent, place: stack.place('verdict') };
  }

  it('waits when the budget is used up, goes on when it is raised, and loses nothing', async () => {
    const { stack, calls, pipeline, run, handle, spent, place } = await priced({ runBudget: 5 });
    await until(() => spent(5));
    const watched = stack.env.engine.runWithId({
      kind: 'attribute_pipeline',
      name: `${stack.type}.verdict`,
      executionId: run.id,
    });
    for await (const { type, data } of watched.events()) {
      if (type !== 'attribute_run_waiting') continue;
      expect(data['reason']).toBe('Waits: run budget 5 used up (5.0000): raise or cancel');
      break;
    }
    expect(calls.count).toBe(5);
    await stack.attributes.changePipeline(place, { runBudget: 100 }, pipeline.lockVersion, by());
    expect(await handle.result()).toMatchObject({
      processed: 20,
      tokensIn: 20_000,
      tokensOut: 200,
      cost: 20,
    });
    expect(calls.count).toBe(20);
  });

  it('of a day counts what all runs of the pipeline have spent today, and can be cancelled while it waits', async () => {
    const { stack, calls, run, handle, spent, place } = await priced({ dayBudget: 4 });
    await until(() => spent(4));
    await stack.attributes.cancelRun(run.id);
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    expect(await stack.attributes.runs.run(run.id)).toMatchObject({
      status: 'aborted',
      counts: { processed: 4 },
    });
    const next = await stack.attributes.run(place);
    const waiting = await until(async () => {
      const run = await stack.attributes.runs.run(next.run.id);
      return (await stack.attributes.waitsFor(run))?.kind === 'day_budget' ? run : undefined;
    });
    expect(waiting).toMatchObject({ status: 'running', cost: null });
    expect(calls.count).toBe(4);
  });
});
