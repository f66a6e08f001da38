import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { config } from '../cli/fixtures.js';
import type { ProjectFiles } from '../support/project.js';

/** Where flows write down what they do, outside of the catalog: a line is appended as a whole, so the file has one order. */
const LEDGER = 'ledger.txt';

/** Ends flows that go on until it is there. */
export const RELEASE = 'release';

/** A project whose flows are started by heartbeats, and keep a ledger. */
export interface StormProject {
  readonly names: readonly string[];
  readonly files: ProjectFiles;
}

const NOTE = `import { appendFileSync } from 'node:fs';

export function note(...words) {
  appendFileSync('${LEDGER}', words.join(' ') + '\\n');
}
`;

const CONNECTORS = `import { setTimeout as pause } from 'node:timers/promises';
import { defineSink, defineSource } from 'millrace';
import { z } from 'zod';
import { note } from '../ledger.js';

/** Has one row in each run. */
export const ticks = defineSource({
  name: 'ticks',
  options: z.strictObject({}),
  async *read({ cursor }) {
    const tick = Number(cursor ?? 0) + 1;
    yield { rows: [{ tick }], cursor: tick };
  },
});

/** Is open as long as the run is at work. */
export const ledger = defineSink({
  name: 'ledger',
  options: z.strictObject({ ms: z.number() }),
  open: ({ options, flow, runSeq }) => {
    note('begin', flow, runSeq);
    return {
      write: async ({ rows }) => {
        await pause(options.ms);
        return { written: { new: 0, updated: 0, redundant: 0, unpredictable: rows.length } };
      },
      close: async () => note('end', flow, runSeq),
    };
  },
});
`;

/** A flow that writes its beginning and its end down: of every two, one has a body of its own, and one a source and a sink. */
function noting(name: string, at: number, every: string): string {
  // Some end before the storm does, and some after it.
  const ms = String(at * 40);
  const work =
    at % 2 === 0
      ? `run: async ({ run }) => {
    const runSeq = run.id.split('/').at(-1);
    note('begin', '${name}', runSeq);
    await pause(${ms});
    note('end', '${name}', runSeq);
  }`
      : `source: ticks({}),
  sink: ledger({ ms: ${ms} })`;
  return `export const flow${String(at)} = defineDataFlow({
  name: '${name}',
  schedule: { heartbeat: { every: '${every}' } },
  ${work},
});
`;
}

/** Flows that are soon over. */
export function quickFlows(options: {
  readonly taskQueue: string;
  readonly catalog: string;
  readonly flows: number;
  readonly every: string;
}): StormProject {
  const { taskQueue, catalog, flows, every } = options;
  const suffix = ulid().toLowerCase();
  const names = Array.from({ length: flows }, (_, at) => `beat-${String(at)}-${suffix}`);
  return {
    names,
    files: {
      'millrace.config.ts': config(taskQueue, `catalog: { url: '${catalog}' }`),
      'ledger.ts': NOTE,
      'connectors/ledger.ts': CONNECTORS,
      'flows/flows.ts': `import { setTimeout as pause } from 'node:timers/promises';
import { defineDataFlow } from 'millrace';
import { ledger, ticks } from '../connectors/ledger.js';
import { note } from '../ledger.js';

${names.map((name, at) => noting(name, at, every)).join('\n')}`,
    },
  };
}

/** A flow that takes steps until it is told to end, and writes down each that the catalog has let it take. */
export function steppingFlow(options: {
  readonly taskQueue: string;
  readonly catalog: string;
  readonly every: string;
}): StormProject & { readonly name: string } {
  const { taskQueue, catalog, every } = options;
  const name = `stepping-${ulid().toLowerCase()}`;
  return {
    name,
    names: [name],
    files: {
      'millrace.config.ts': config(taskQueue, `catalog: { url: '${catalog}' }`),
      'ledger.ts': NOTE,
      'flows/stepping.ts': `import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { defineDataFlow } from 'millrace';
import { note } from '../ledger.js';

export const stepping = defineDataFlow({
  name: '${name}',
  schedule: { heartbeat: { every: '${every}' } },
  run: async ({ run, cursor, saveCursor }) => {
    const runSeq = run.id.split('/').at(-1);
    try {
      // Does not look at its signal: only the fence keeps it from going on beside another.
      for (let step = Number(cursor ?? 0) + 1; !existsSync('${RELEASE}'); step += 1) {
        await saveCursor(step, { read: 1 });
        note('step', '${name}', runSeq, step);
        await pause(20);
      }
    } catch (error) {
      note('stopped', '${name}', runSeq, error.name);
      throw error;
    }
  },
});
`,
    },
  };
}

/** A line of the ledger. */
export interface Noted {
  readonly what: string;
  readonly flow: string;
  readonly runSeq: number;
  /** The step, or the error that has stopped it. */
  readonly more: string;
}

/** What flows have written down so far, in its order. */
export async function ledgerOf(dir: string): Promise<readonly Noted[]> {
  const text = await readFile(join(dir, LEDGER), 'utf8').catch(() => '');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [what = '', flow = '', runSeq = '', more = ''] = line.split(' ');
      return { what, flow, runSeq: Number(runSeq), more };
    });
}

/** What the ledger has of a flow whose runs came one after the other: `begin 1`, `end 1`, `begin 2`, … */
export function oneAfterTheOther(runs: number): readonly string[] {
  return Array.from({ length: runs }, (_, at) => [
    `begin ${String(at + 1)}`,
    `end ${String(at + 1)}`,
  ]).flat();
}
