import { beforeEach, describe, expect, it } from '@jest/globals';
import { defaultPayloadConverter } from '@temporalio/common';
import type { temporal as api } from '@temporalio/proto';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { defineOperation } from '../../src/pipeline/operation.js';
import { definePipeline } from '../../src/pipeline/pipeline.js';
import { useStacks } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

/** What the Temporal UI shows of a run comes from where these tests look: describe, history and the metadata query. */
const temporal = useTemporal();
const stack = useStacks(temporal);

let held = true;

beforeEach(() => {
  held = true;
});

const count = defineOperation({
  name: 'count',
  reads: z.object({ text: z.string() }),
  sets: z.object({ words: z.number() }),
  quick: true,
  run: ({ input }) => ({ words: input.text.split(' ').length }),
});

/** Goes on until the test lets it end. */
const hold = defineOperation({
  name: 'hold',
  reads: z.object({ words: z.number() }),
  sets: z.object({ held: z.boolean() }),
  run: async ({ signal }) => {
    while (held) await delay(20, undefined, { signal });
    return { held: true };
  },
});

const told = definePipeline({
  name: 'told',
  description: 'Counts, holds, and ends.',
  timeout: '90s',
  stages: [
    { name: 'first', operations: [count] },
    { name: 'second', operations: [{ type: hold, name: 'hold-it' }] },
  ],
});

const definitions = { operations: [count, hold], pipelines: [told] };

function seconds(duration: { readonly seconds?: unknown } | null | undefined): number {
  return Number(duration?.seconds ?? Number.NaN);
}

function summaryOf(event: api.api.history.v1.IHistoryEvent): unknown {
  const payload = event.userMetadata?.summary;
  return payload ? defaultPayloadConverter.fromPayload(payload) : undefined;
}

describe('a run in Temporal', () => {
  it('may take its timeout and a minute, so that workflow code ends it first', async () => {
    const { engine } = await stack({ ...definitions, worker: false });
    const run = await engine.start('told', { text: 'a b' });
    const { raw } = await temporal.client.workflow.getHandle(run.id).describe();
    expect(seconds(raw.executionConfig?.workflowExecutionTimeout)).toBe(90 + 60);
    await temporal.client.workflow.getHandle(run.id).terminate('the test is over');
  });

  it('has the definition`s description as its summary, and the stage that it is at as its details', async () => {
    const { engine } = await stack(definitions);
    const run = await engine.start('told', { text: 'a b' });
    const handle = temporal.client.workflow.getHandle(run.id);
    for await (const event of run.events())
      if (event.type === 'operation_started' && event.data['operation'] === 'hold-it') break;

    expect(await (await handle.describe()).staticSummary()).toBe('Counts, holds, and ends.');
    const metadata = await handle.query('__temporal_workflow_metadata');
    expect(metadata).toMatchObject({ currentDetails: 'Stage **second** (2 of 2)' });
    held = false;
    expect(await run.result()).toMatchObject({ held: true });
  });

  it('has summaries at its activities that say which stage and operation each is', async () => {
    const { engine } = await stack(definitions);
    const run = await engine.start('told', { text: 'a b' });
    for await (const event of run.events())
      if (event.type === 'operation_started' && event.data['operation'] === 'hold-it') break;
    held = false;
    await run.result();

    const { events } = await temporal.client.workflow.getHandle(run.id).fetchHistory();
    const activities = (events ?? []).filter(
      (event) => event.activityTaskScheduledEventAttributes ?? event.markerRecordedEventAttributes,
    );
    expect(
      activities.map((event) => [
        event.activityTaskScheduledEventAttributes?.activityType?.name ?? 'local',
        summaryOf(event),
      ]),
    ).toEqual([
      ['local', 'first'],
      ['hold', 'second › hold-it'],
    ]);
  });

  it('starts also when its description is long and of characters that take several bytes', async () => {
    const wordy = definePipeline({ ...told, name: 'wordy', description: '界'.repeat(300) });
    const { engine } = await stack({ ...definitions, pipelines: [wordy], worker: false });
    const run = await engine.start('wordy', { text: 'a b' });
    const handle = temporal.client.workflow.getHandle(run.id);
    expect(await (await handle.describe()).staticSummary()).toBe('界'.repeat(66));
    await handle.terminate('the test is over');
  });
});
