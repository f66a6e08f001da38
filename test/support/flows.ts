import { afterEach } from '@jest/globals';
import { ulid } from 'ulid';
import { z } from 'zod';
import type { ConnectedEngine } from '../../engine/create-engine.js';
import type { DataFlows } from '../../engine/data-flow/data-flows.js';
import type { ConfigDefinition } from '../../src/config/config.js';
import type { FlowRunRecord } from '../../src/data-flow/catalog.js';
import { defineDataFlow, type DataFlow } from '../../src/data-flow/data-flow.js';
import type { Row } from '../../src/data-flow/row.js';
import { defineSink, type SinkUse } from '../../src/data-flow/sink.js';
import { defineSource, type SourceUse } from '../../src/data-flow/source.js';
import { createTestEnvironment, type TestEnvironment } from '../../testing/test-environment.js';
import { gate } from './gate.js';
import { sharedServerAddress } from './temporal.js';
import { until } from './until.js';

/** Flows that a worker runs, and what steers them. */
export interface RunningFlows {
  readonly env: TestEnvironment;
  readonly engine: ConnectedEngine;
  readonly flows: DataFlows;
}

/** Puts flows to work on the shared Temporal server, each time with a catalog of their own; stops them after each test. */
export function useFlows(): (
  dataFlows: readonly DataFlow[],
  config?: ConfigDefinition,
  env?: Readonly<Record<string, string>>,
) => Promise<RunningFlows> {
  const running: TestEnvironment[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((env) => env.stop()));
  });
  return async (dataFlows, config = {}, variables = {}) => {
    const env = await createTestEnvironment({
      dataFlows,
      env: { ...variables, TEMPORAL_ADDRESS: sharedServerAddress() },
      config,
    });
    running.push(env);
    return { env, engine: env.engine, flows: await env.engine.dataFlows() };
  };
}

/** A flow that a worker runs. */
export interface RunningFlow extends RunningFlows {
  readonly name: string;
  /** Starts a run and waits for its end. */
  readonly runToEnd: () => Promise<FlowRunRecord>;
}

/** Puts one flow to work, as {@link useFlows} does: `const { runToEnd } = await start((name) => defineDataFlow({ name, … }))`. */
export function useFlow(): (define: (name: string) => DataFlow) => Promise<RunningFlow> {
  const start = useFlows();
  return async (define) => {
    const name = uniqueFlow();
    const running = await start([define(name)]);
    return { ...running, name, runToEnd: () => runToEnd(running.flows, name) };
  };
}

/** A flow's name that no other test has: ids of runs are made of it. */
export function uniqueFlow(prefix = 'flow'): string {
  return `${prefix}-${ulid().toLowerCase()}`;
}

/** Waits for a run's end in the catalog. */
export async function endOf(flows: DataFlows, { flow, id }: FlowRunRecord): Promise<FlowRunRecord> {
  return until(async () => {
    const found = await flows.findRun(flow, id);
    return found.endedAt === null ? undefined : found;
  }, 20_000);
}

/** Starts a run and waits for its end. */
export async function runToEnd(flows: DataFlows, name: string): Promise<FlowRunRecord> {
  return endOf(flows, await flows.run(name));
}

/** Claims a run, as a process does that dies before it starts it. The catalog has to know the flow. */
export async function claimRun({ catalog }: DataFlows, flow: string): Promise<FlowRunRecord> {
  const claim = await catalog.claim({ flow, trigger: 'manual', now: new Date() });
  if (claim.kind !== 'claimed') throw new Error(`the claim is answered with ${claim.kind}`);
  return claim.run;
}

/** A flow whose batches wait until the test opens the gate, all but the first of 200 rows. */
export function gatedFlow(rows = 600): { readonly flow: DataFlow; readonly open: () => void } {
  const { open, pass } = gate();
  const flow = defineDataFlow({
    name: uniqueFlow(),
    source: listSource(
      () => numbered(rows),
      (from, signal) => (from === 0 ? undefined : pass(signal)),
    ),
    sink: listSink([]),
  });
  return { flow, open };
}

/** A source of rows that are in memory; the cursor is the number of rows that were given. */
export function listSource(
  rows: () => readonly Row[],
  beforeBatch: (from: number, signal: AbortSignal) => Promise<void> | void = () => undefined,
): SourceUse {
  const source = defineSource({
    name: 'list',
    options: z.strictObject({}),
    async *read({ cursor, batchSize, signal }) {
      for (let from = Number(cursor ?? 0); from < rows().length; from += batchSize) {
        await beforeBatch(from, signal);
        const batch = rows().slice(from, from + batchSize);
        const next = from + batch.length;
        yield { rows: batch, cursor: next, fraction: next / rows().length };
      }
    },
  });
  return source({});
}

/** A sink without keys that keeps everything that it was given. */
export function listSink(
  written: Row[],
  beforeWrite: () => Promise<void> | void = () => undefined,
): SinkUse {
  const sink = defineSink({
    name: 'list',
    options: z.strictObject({}),
    open: () => ({
      write: async ({ rows }) => {
        await beforeWrite();
        written.push(...rows);
        return { written: { new: 0, updated: 0, redundant: 0, unpredictable: rows.length } };
      },
    }),
  });
  return sink({});
}

/** Rows with the numbers from 1 to n. */
export function numbered(count: number): readonly Row[] {
  return Array.from({ length: count }, (_, at) => ({ number: at + 1 }));
}
