import type { Command } from 'commander';
import pc from 'picocolors';
import { recordsOf } from '../../activities/record-store/store-records.js';
import { statusOf } from '../../activities/record-store/store-status.js';
import { isPlainObject, type JsonObject } from '../../src/definition/json.js';
import type { RecordPage, StoreStatus } from '../../src/record-pipeline/store-question.js';
import { UsageError } from '../exit-code.js';
import { printJson } from '../flows/flow-json.js';
import { formatTable, formatTime, oneLine } from '../format.js';
import { withStore } from './open-records.js';

interface InspectOptions {
  readonly dir?: string;
  readonly json: boolean;
  readonly at?: string;
  readonly where?: string;
  readonly after?: string;
  readonly limit: string;
}

const EXAMPLES = `
Conditions are those of \`where\` in code, as JSON.

Examples:
  $ millrace records inspect onboarding
  $ millrace records inspect onboarding employee --where '{"welcomed":false}'
  $ millrace records inspect onboarding employee --where '{"id":{"gt":100},"name":{"like":"A%"}}' --limit 5
  $ millrace records inspect onboarding employee --at 2026-11-26T03-45-12.123Z
`;

/** Most columns' characters that a table shows of one value; JSON has all. */
const VALUE_WIDTH = 40;

/** Adds `records inspect`: what is in a store, now or at a version. */
export function addInspectCommand(records: Command): void {
  records
    .command('inspect <name> [record]')
    .summary('show the records of the store, of now or of a version')
    .description(
      'Shows what is in the store of a record pipeline; with a record type, its records, of now or of a version.',
    )
    .option('--at <version>', 'those of a version')
    .option('--where <json>', 'those that fulfil conditions')
    .option('--after <id>', 'those with greater ids')
    .option('--limit <count>', 'at most so many', '20')
    .option('--json', 'print them as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, record: string | undefined, options: InspectOptions) => {
      const found = await withStore(options.dir, name, async (store) => {
        const asked = { store, pipeline: name, signal: new AbortController().signal };
        if (record === undefined) return { status: await statusOf(asked) };
        return { page: await recordsOf(asked, question(record, options)) };
      });
      if (options.json) printJson(found.page ?? found.status);
      else
        process.stdout.write(
          `${found.page === undefined ? statusText(found.status) : pageText(found.page)}\n`,
        );
    });
}

function question(
  record: string,
  { at, where, after, limit }: InspectOptions,
): Parameters<typeof recordsOf>[1] {
  return {
    kind: 'records',
    record,
    limit: positive('--limit', limit),
    ...(at !== undefined && { version: at }),
    ...(where !== undefined && { where: conditions(where) }),
    ...(after !== undefined && { after: positive('--after', after) }),
  };
}

function conditions(text: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(text);
    if (isPlainObject(parsed)) return parsed as JsonObject;
  } catch {
    // Told below.
  }
  throw new UsageError(
    `--where ${text} is no JSON object. Write it so: --where '{"processed":false}'.`,
  );
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= Number.MAX_SAFE_INTEGER) return value;
  throw new UsageError(`${option} ${text} is no whole number from 1.`);
}

function statusText({ dir, bytes, counts, versions, activeRun }: StoreStatus): string {
  const rows = Object.entries(counts).map(([record, count]) => [
    record,
    count.toLocaleString('en'),
  ]);
  const size = `${(bytes / 1_000_000).toFixed(1)} MB, ${String(versions)} versions`;
  const run =
    activeRun === null
      ? []
      : [
          `The run ${activeRun.id} of ${activeRun.pipeline} works on it since ${formatTime(new Date(activeRun.startedAt))}.`,
        ];
  return [`${dir}  ${pc.dim(size)}`, ...run, '', formatTable([['RECORD', 'COUNT'], ...rows])].join(
    '\n',
  );
}

function pageText({ records, nextAfter }: RecordPage): string {
  const [first] = records;
  if (first === undefined) return 'No such records.';
  const columns = Object.keys(first);
  const rows = records.map((record) => columns.map((column) => shown(record[column])));
  const more = nextAfter === undefined ? [] : [pc.dim(`… and more: --after ${String(nextAfter)}`)];
  return [formatTable([columns, ...rows]), ...more].join('\n');
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return pc.dim('null');
  return oneLine(typeof value === 'string' ? value : JSON.stringify(value), VALUE_WIDTH);
}
