import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { config } from '../cli/fixtures.js';
import type { ProjectFiles } from '../support/project.js';

/** Operations and steps have so long when their worker stops. Those that take less are never cut. */
export const GRACE_MS = 2_500;

/** Steps of a long operation, of which each has an effect and leaves a checkpoint. */
export const MARCH_STEPS = 40;

/** Rows that the flow moves. */
export const ROWS = 600;

/** What everything here notes: an effect, the attempt that had it, and its process. */
const LEDGER = `import { appendFileSync } from 'node:fs';

/** One line, which the system writes as a whole. */
export function note(ledger, ...what) {
  appendFileSync(ledger, JSON.stringify([...what, process.pid, Date.now()]) + '\\n');
}
`;

/** Less than the grace time each: \`reserve\` without a heartbeat or a look at its signal, \`charge\` with both. */
const SHORT = `import { setTimeout as pause } from 'node:timers/promises';
import { defineOperation } from 'millrace';
import { z } from 'zod';
import { note } from '../ledger.js';

const input = z.object({ n: z.number(), ledger: z.string() });

export const reserve = defineOperation({
  name: 'reserve',
  reads: input,
  sets: z.object({ reserved: z.number() }),
  run: async ({ input: { n, ledger }, run, attempt }) => {
    await pause(600);
    note(ledger, run.id, 'reserve', attempt);
    await pause(300);
    return { reserved: n };
  },
});

export const stamp = defineOperation({
  name: 'stamp',
  reads: input,
  sets: z.object({ stamped: z.boolean() }),
  quick: true,
  run: async ({ input: { ledger }, run, attempt }) => {
    await pause(200);
    note(ledger, run.id, 'stamp', attempt);
    return { stamped: true };
  },
});

export const seal = defineOperation({
  name: 'seal',
  reads: input,
  sets: z.object({ sealed: z.boolean() }),
  quick: true,
  run: async ({ input: { ledger }, run, attempt }) => {
    await pause(200);
    note(ledger, run.id, 'seal', attempt);
    return { sealed: true };
  },
});

export const charge = defineOperation({
  name: 'charge',
  reads: input.extend({ reserved: z.number() }),
  sets: z.object({ charged: z.number() }),
  run: async ({ input: { reserved, ledger }, run, attempt, heartbeat, signal }) => {
    heartbeat({ completed: 0, total: 1 });
    await pause(500, undefined, { signal });
    note(ledger, run.id, 'charge', attempt);
    await pause(500, undefined, { signal });
    return { charged: reserved * 2 };
  },
});
`;

/** More than the grace time: it is cut, and goes on from its checkpoint. An effect and its checkpoint are one. */
const MARCH = `import { setTimeout as pause } from 'node:timers/promises';
import { defineOperation } from 'millrace';
import { z } from 'zod';
import { note } from '../ledger.js';

export const march = defineOperation({
  name: 'march',
  reads: z.object({ ledger: z.string() }),
  sets: z.object({ marched: z.number() }),
  timeout: '2 minutes',
  run: async ({ input: { ledger }, run, attempt, checkpoint, heartbeat, signal }) => {
    let step = z.number().parse(checkpoint ?? 0);
    for (; step < ${String(MARCH_STEPS)}; ) {
      await pause(150, undefined, { signal });
      note(ledger, run.id, 'march ' + step, attempt);
      step += 1;
      heartbeat({ completed: step, total: ${String(MARCH_STEPS)} }, step);
    }
    return { marched: step };
  },
});
`;

/** Does not look at its signal: once it takes longer than its worker may. */
const STUBBORN = `import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { defineOperation } from 'millrace';
import { z } from 'zod';
import { note } from '../ledger.js';

export const stubborn = defineOperation({
  name: 'stubborn',
  reads: z.object({ ledger: z.string() }),
  sets: z.object({ pid: z.number() }),
  timeout: '2 minutes',
  run: async ({ input: { ledger }, run, attempt }) => {
    const isFirst = !existsSync(ledger);
    note(ledger, run.id, 'stubborn', attempt);
    await pause(isFirst ? 60_000 : 100);
    return { pid: process.pid };
  },
});
`;

/** A task's steps, as the operations of the pipelines: one that ends in time, and one that is cut. */
const HANDLERS = `import { setTimeout as pause } from 'node:timers/promises';
import { defineStepHandler, success } from 'millrace';
import { note } from '../ledger.js';

export const pack = defineStepHandler({
  name: 'pack',
  run: async ({ getTaskField, run, attempt, step }) => {
    await pause(500);
    note(getTaskField('ledger'), run.id, step.name, attempt);
    await pause(500);
    return success({ packed: true });
  },
});

export const haul = defineStepHandler({
  name: 'haul',
  run: async ({ getTaskField, run, attempt, checkpoint, heartbeat, signal }) => {
    let step = checkpoint ?? 0;
    for (; step < ${String(MARCH_STEPS)}; ) {
      await pause(150, undefined, { signal });
      note(getTaskField('ledger'), run.id, 'haul ' + step, attempt);
      step += 1;
      heartbeat({ completed: step, total: ${String(MARCH_STEPS)} }, step);
    }
    return success({ hauled: step });
  },
});
`;

const FLOW = `import { setTimeout as pause } from 'node:timers/promises';
import { defineDataFlow } from 'millrace';
import { csvSource, ndjsonSink } from 'millrace/connectors';

export const copy = defineDataFlow({
  name: 'copy',
  batchSize: 20,
  source: csvSource({ path: 'in.csv' }),
  transform: async ({ row, signal }) => {
    await pause(30, undefined, { signal });
    return row;
  },
  sink: ndjsonSink({ path: 'out.ndjson' }),
});
`;

/** A project of operations, steps and a flow that are in progress whenever its worker stops. */
export function projectFiles(taskQueue: string): ProjectFiles {
  const grace = `worker: { shutdownGraceTime: ${String(GRACE_MS)} }`;
  const ids = Array.from({ length: ROWS }, (_, id) => `${String(id)}\n`);
  return {
    'millrace.config.ts': config(taskQueue, grace),
    'ledger.js': LEDGER,
    'operations/short.ts': SHORT,
    'operations/march.ts': MARCH,
    'operations/stubborn.ts': STUBBORN,
    'handlers/steps.ts': HANDLERS,
    'flows/copy.ts': FLOW,
    'in.csv': `id\n${ids.join('')}`,
    'pipelines/order.yml': `name: order
timeout: 3 minutes
stages:
  - name: reserve
    operations: [reserve]
  - name: stamp
    operations: [stamp]
  - name: seal
    operations: [seal]
  - name: charge
    operations: [charge]
`,
    'pipelines/march.yml':
      'name: march\ntimeout: 3 minutes\nstages: [{ name: march, operations: [march] }]\n',
    'pipelines/stubborn.yml':
      'name: stubborn\ntimeout: 3 minutes\nstages: [{ name: stubborn, operations: [stubborn] }]\n',
    'tasks/parcel.yml': `name: parcel
steps:
  - { name: pack, handler: pack }
  - { name: haul, handler: haul, depends_on: [pack], timeout_seconds: 120 }
  - { name: deliver, handler: pack, depends_on: [haul] }
`,
  };
}

/** An effect, as it was noted. */
export interface Effect {
  readonly runId: string;
  readonly what: string;
  readonly attempt: number;
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Every effect that there was, in the order of time. */
export async function effectsIn(ledger: string): Promise<readonly Effect[]> {
  const lines = (await readFile(ledger, 'utf8').catch(() => '')).split('\n').filter(Boolean);
  return lines.map((line) => {
    // The project's own code has written it.
    const [runId, what, attempt, pid, at] = JSON.parse(line) as [
      string,
      string,
      number,
      number,
      number,
    ];
    return { runId, what, attempt, pid, at };
  });
}

/** The rows that the flow has written. */
export async function rowsOut(dir: string): Promise<readonly number[]> {
  const lines = (await readFile(join(dir, 'out.ndjson'), 'utf8')).trim().split('\n');
  return lines.map((line) => Number((JSON.parse(line) as { id: string }).id));
}
