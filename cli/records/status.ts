import type { Command } from 'commander';
import pc from 'picocolors';
import type { RecordFailure, RecordRun } from '../../src/record-pipeline/run.js';
import { formatTable, formatTime, oneLine } from '../format.js';
import { printJson } from '../flows/flow-json.js';
import { withStore } from './open-records.js';

interface StatusOptions {
  readonly dir?: string;
  readonly json: boolean;
  readonly limit: string;
}

/** Adds `records status`: the runs of a store, and what failed in the newest. */
export function addStatusCommand(records: Command): void {
  records
    .command('status <name>')
    .summary('list the runs of the store, and what failed in the newest')
    .description(
      'Lists the runs that have worked on the store of a record pipeline, and the records that failed in the newest.',
    )
    .option('--limit <count>', 'at most so many of each', '20')
    .option('--json', 'print them as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .action(async (name: string, { dir, json, limit }: StatusOptions) => {
      const status = await withStore(dir, name, ({ runs }) => {
        const listed = runs.list(Number(limit));
        const [newest] = listed;
        const failures = newest === undefined ? [] : runs.failures(newest.id, Number(limit));
        return { runs: listed, failures };
      });
      if (json) printJson(status);
      else process.stdout.write(`${statusText(status)}\n`);
    });
}

function statusText({
  runs,
  failures,
}: {
  readonly runs: readonly RecordRun[];
  readonly failures: readonly RecordFailure[];
}): string {
  if (runs.length === 0) return 'No run has worked on the store yet.';
  const rows = runs.map(({ id, pipeline, status, startedAt, completed, failed }) => [
    id,
    pipeline,
    status,
    formatTime(new Date(startedAt)),
    String(completed),
    String(failed),
  ]);
  const table = formatTable([
    ['RUN', 'PIPELINE', 'STATUS', 'STARTED', 'COMPLETED', 'FAILED'],
    ...rows,
  ]);
  const failed = failures.map(
    ({ record, recordId, step, name, message }) =>
      `  ${pc.red('✗')} ${record} ${String(recordId)} in "${step}": ${name}: ${oneLine(message, 200)}`,
  );
  return [table, ...failed].join('\n');
}
