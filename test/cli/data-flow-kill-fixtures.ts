import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { ulid } from 'ulid';
import type { DataFlowCatalog, FlowRunRecord } from '../../src/data-flow/catalog.js';
import type { FlowPosition } from '../../src/data-flow/position.js';
import type { ProjectFiles } from '../support/project.js';
import { config } from './fixtures.js';

/** The sinks that differ in how they take a batch that comes again. */
export type SinkKind = 'keyed' | 'keeping' | 'postgres' | 'ndjson' | 'plain';

/** Flows of one project, each from the same CSV file to another sink. */
export interface KillableFlows {
  readonly kinds: readonly SinkKind[];
  readonly rows: number;
  readonly files: ProjectFiles;
  readonly nameOf: (kind: SinkKind) => string;
}

const PLAIN = `import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineSink } from 'millrace';
import { z } from 'zod';

/** Knows neither keys nor a state. */
export const plain = defineSink({
  name: 'plain',
  options: z.strictObject({ path: z.string() }),
  open: ({ options, dir }) => ({
    write: async ({ rows }) => {
      // One by one: a kill may come between two of them.
      for (const { id } of rows) appendFileSync(join(dir, options.path), id + '\\n');
      return { written: { new: 0, updated: 0, redundant: 0, unpredictable: rows.length } };
    },
  }),
});
`;

const LIMIT_FILE = 'limit.txt';

/** Lets the flows of a project move so many rows, and keeps them in the batch of the next one. Without a limit they move all. */
export async function limitFlows(dir: string, rows: number): Promise<void> {
  // Nobody may read half of it.
  await writeFile(join(dir, `${LIMIT_FILE}.new`), String(rows));
  await rename(join(dir, `${LIMIT_FILE}.new`), join(dir, LIMIT_FILE));
}

/** What a project with slow flows consists of. */
export function killableFlows(options: {
  readonly taskQueue: string;
  readonly rows: number;
  readonly batchSize: number;
  readonly msPerRow: number;
  /** Only one of so many rows takes that time. */
  readonly pauseEvery?: number;
  /** Of the sink; without one there is no such flow. */
  readonly postgres?: string;
  readonly catalog?: string;
}): KillableFlows {
  const { taskQueue, rows, batchSize, msPerRow, pauseEvery = 1, postgres, catalog } = options;
  const suffix = ulid().toLowerCase();
  const nameOf = (kind: SinkKind): string => `${kind}-${suffix}`;
  const sinks: Readonly<Record<SinkKind, string>> = {
    keyed: `sqlSink({ database: 'sqlite:keyed.db', table: 'rows', key: ['id'], create: true })`,
    keeping: `sqlSink({ database: 'sqlite:keeping.db', table: 'rows', create: true })`,
    postgres: `sqlSink({ database: '${postgres ?? ''}', table: 'rows', create: true })`,
    ndjson: `ndjsonSink({ path: 'out.ndjson' })`,
    plain: `plain({ path: 'plain.txt' })`,
  };
  const kinds = (Object.keys(sinks) as SinkKind[]).filter(
    (kind) => kind !== 'postgres' || postgres !== undefined,
  );
  const flow = (kind: SinkKind): string => `export const ${kind}Flow = defineDataFlow({
  name: '${nameOf(kind)}',
  batchSize: ${String(batchSize)},
  source: csvSource({ path: 'in.csv' }),
  transform: slowly,
  sink: ${sinks[kind]},
});
`;
  const url = catalog ?? 'sqlite:catalog.db';
  return {
    kinds,
    rows,
    nameOf,
    files: {
      'millrace.config.ts': config(
        taskQueue,
        `catalog: { url: '${url}' }, worker: { shutdownGraceTime: '500ms' }`,
      ),
      'connectors/plain.ts': PLAIN,
      'flows/flows.ts': `import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { defineDataFlow } from 'millrace';
import { csvSource, ndjsonSink, sqlSink } from 'millrace/connectors';
import { plain } from '../connectors/plain.js';

let limit = 0;

function readLimit() {
  try {
    return Number(readFileSync('${LIMIT_FILE}', 'utf8'));
  } catch {
    return Infinity;
  }
}

async function slowly({ row, signal }) {
  while (Number(row.id) > limit) {
    limit = readLimit();
    if (Number(row.id) > limit) await pause(20, undefined, { signal });
  }
  if (Number(row.id) % ${String(pauseEvery)} === 0) await pause(${String(msPerRow)});
  return { id: Number(row.id), name: row.name };
}

${kinds.map(flow).join('\n')}`,
      'in.csv': `id,name\n${Array.from({ length: rows }, (_, at) => `${String(at + 1)},name ${String(at + 1)}\n`).join('')}`,
    },
  };
}

/** The numbers of the rows that a sink has, in their order there. */
export async function idsIn(
  kind: SinkKind,
  dir: string,
  postgres?: string,
): Promise<readonly number[]> {
  switch (kind) {
    case 'keyed':
    case 'keeping':
      return sqliteIds(join(dir, `${kind}.db`));
    case 'postgres':
      return postgresIds(postgres ?? '');
    case 'ndjson':
      return (await textOf(join(dir, 'out.ndjson')))
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line) => (JSON.parse(line) as { readonly id: number }).id);
    case 'plain':
      return (await textOf(join(dir, 'plain.txt'))).trim().split('\n').map(Number);
  }
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

function sqliteIds(path: string): readonly number[] {
  const db = new Sqlite(path);
  try {
    return db.prepare<[], number>('SELECT id FROM rows ORDER BY rowid').pluck().all();
  } finally {
    db.close();
  }
}

async function postgresIds(url: string): Promise<readonly number[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ id: string }>('SELECT id FROM rows ORDER BY ctid');
    return rows.map(({ id }) => Number(id));
  } finally {
    await client.end();
  }
}

/** Where a sink says that it is, in the transaction of its rows. */
export function keptPosition(path: string): FlowPosition {
  const db = new Sqlite(path);
  try {
    return JSON.parse(
      db.prepare<[], string>('SELECT position FROM millrace_positions').pluck().get() ?? '{}',
    ) as FlowPosition;
  } finally {
    db.close();
  }
}

/** The newest run of a flow. */
export async function runOf(catalog: DataFlowCatalog, flow: string): Promise<FlowRunRecord> {
  const [run] = await catalog.runs(flow, { limit: 1 });
  if (run === undefined) throw new Error(`${flow} has no run`);
  return run;
}

/** The numbers from 1. */
export function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}
