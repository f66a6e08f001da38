import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { defineDataFlow, defineSink, defineSource, subscribe, type MillraceEvent } from 'millrace';
import { defineRecordPipeline, defineStore, record, step } from 'millrace/records';
import { createTestEngine } from 'millrace/testing';
import { z } from 'zod';
import { useAttributeStacks } from '../support/attribute-stack.js';
import { GREET, GREET_CONTRACT } from '../support/greet-workflow.js';
import { writeProject } from '../support/project.js';
import { linkPackages } from '../docs/running-project.js';
import { useTemporal } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
const folder = useTemporaryDirectory();
const attributeStack = useAttributeStacks();

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Hears the events of runs of one definition until the test is over. */
function hearRunsOf(name: string): MillraceEvent[] {
  const heard: MillraceEvent[] = [];
  const end = subscribe('run.execution.*', (event) => {
    if ((event.payload as { readonly name: string }).name === name) heard.push(event);
  });
  ends.push(end);
  return heard;
}

/** Types of events, once those of a whole run are there. */
function bothOf(heard: readonly MillraceEvent[]): Promise<readonly string[]> {
  return until(async () =>
    heard.length > 1 ? heard.map(({ event_type: type }) => type) : undefined,
  );
}

const shared = (): Record<string, string> => ({ TEMPORAL_ADDRESS: temporal.address });

describe('the events of runs', () => {
  it('are told of data flows', async () => {
    const source = defineSource({
      name: 'events_source',
      options: z.object({}),
      async *read({ cursor }) {
        if (cursor === undefined) yield { rows: [{ id: 1 }], cursor: 1 };
      },
    });
    const sink = defineSink({
      name: 'events_sink',
      options: z.object({}),
      open: () => ({
        write: async ({ rows }) => ({
          written: { new: rows.length, updated: 0, redundant: 0, unpredictable: 0 },
        }),
      }),
    });
    const flow = defineDataFlow({
      name: 'events-flow',
      schedule: { heartbeat: { every: '1h' } },
      source: source({}),
      reads: z.object({ id: z.number() }),
      sink: sink({}),
    });
    const heard = hearRunsOf('events-flow');
    await using engine = await createTestEngine({ dataFlows: [flow], env: shared() });
    await (await engine.dataFlows()).heartbeat();
    expect(await bothOf(heard)).toEqual(['flow.execution.started', 'flow.execution.completed']);
    expect(heard[1]?.payload).toMatchObject({ kind: 'flow', status: 'completed' });
  });

  it('are told of record pipelines', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'millrace-events-'));
    ends.push(() => {
      rmSync(dir, { recursive: true, force: true });
    });
    const store = defineStore({
      dir,
      records: { user: record({ table: 'users', columns: { done: z.boolean().default(false) } }) },
    });
    const pipeline = defineRecordPipeline(store, {
      name: 'events-records',
      steps: [
        step({
          label: 'do',
          records: (s) => s.user.where({ done: false }),
          each: ({ record: user }) => {
            user.update({ done: true });
          },
        }),
      ],
    });
    const heard = hearRunsOf('events-records');
    await using engine = await createTestEngine({ recordPipelines: [pipeline], env: shared() });
    store.user.create({});
    const { handle } = await engine.recordPipelines.run('events-records');
    await handle.result();
    expect(await bothOf(heard)).toEqual([
      'record_pipeline.execution.started',
      'record_pipeline.execution.completed',
    ]);
  });

  it('are told of attribute pipelines', async () => {
    const stack = await attributeStack(
      {},
      {
        width: { dataType: 'integer' },
        area: { dataType: 'integer', editable: 'no' },
      },
    );
    const heard = hearRunsOf(`${stack.type}.area`);
    await stack.save({ a: { width: 2 } });
    await stack.calculate('area', ['width'], 'return $json.width * 2');
    const run = await stack.attributes.run(stack.place('area'));
    await run.handle.result();
    expect((await bothOf(heard)).slice(0, 2)).toEqual([
      'attribute_pipeline.execution.started',
      'attribute_pipeline.execution.completed',
    ]);
  });

  it('are told of hand-written workflows', async () => {
    await writeProject(folder.path, {
      'package.json': '{ "type": "module" }',
      'workflows/greet.ts': GREET,
      'workflows/greet.contract.ts': GREET_CONTRACT,
    });
    linkPackages(folder.path);
    const heard = hearRunsOf('greet');
    await using engine = await createTestEngine({ dir: folder.path, env: shared() });
    await engine.execute('greet', { name: 'Ada' });
    expect(await bothOf(heard)).toEqual([
      'workflow.execution.started',
      'workflow.execution.completed',
    ]);
  });
});
