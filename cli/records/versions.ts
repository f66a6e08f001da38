import type { Command } from 'commander';
import pc from 'picocolors';
import type { StoreDiff, VersionInfo } from '../../src/record-store/store.js';
import { formatTable, formatTime, oneLine } from '../format.js';
import { printJson } from '../flows/flow-json.js';
import { withStore } from './open-records.js';

interface Options {
  readonly dir?: string;
  readonly json: boolean;
}

/** Adds `records versions`: what a store was at earlier times. */
export function addVersionsCommand(records: Command): void {
  records
    .command('versions <name>')
    .summary('list the versions of the store')
    .description('Lists the versions of the store of a record pipeline, newest first.')
    .option('--json', 'print them as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .action(async (name: string, { dir, json }: Options) => {
      const versions = await withStore(dir, name, (store) => [...store.files.list()].reverse());
      if (json) printJson(versions);
      else process.stdout.write(`${versionsText(versions)}\n`);
    });
}

interface DiffOptions extends Options {
  readonly limit: string;
}

/** Adds `records diff`: what differs between two versions, or from now. */
export function addDiffCommand(records: Command): void {
  records
    .command('diff <name> <before> [after]')
    .summary('tell what differs between two versions, or between one and now')
    .description(
      'Tells what is other in the second version than in the first; without a second one, what is other now.',
    )
    .option('--limit <count>', 'list at most so many records of each type', '20')
    .option('--json', 'print it as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .action(
      async (name: string, before: string, after: string | undefined, options: DiffOptions) => {
        const { dir, json, limit } = options;
        const diff = await withStore(dir, name, (store) =>
          store.diff(before, after, Number(limit)),
        );
        if (json) printJson(diff);
        else process.stdout.write(`${diffText(diff)}\n`);
      },
    );
}

/** Adds `records restore`: makes a version current again. */
export function addRestoreCommand(records: Command): void {
  records
    .command('restore <name> <version>')
    .summary('make a version of the store current again')
    .description(
      'Makes a version of the store current again. What it replaces becomes a version first: nothing is lost.',
    )
    .option('--json', 'print the version of what was replaced as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .action(async (name: string, version: string, { dir, json }: Options) => {
      const replaced = await withStore(dir, name, (store) => store.restore(version));
      const was =
        replaced.id === version
          ? 'There was no database to replace'
          : `What it replaced is version ${replaced.id}`;
      if (json) printJson(replaced);
      else process.stdout.write(`  ${pc.green('✓')} ${version} is current. ${was}\n`);
    });
}

/** Versions as a table. */
export function versionsText(versions: readonly VersionInfo[]): string {
  if (versions.length === 0)
    return 'The store has no versions yet. Runs and transactions make them.';
  const rows = versions.map(({ id, at, reason, step, run, counts, bytes }) => [
    id,
    formatTime(new Date(at)),
    `${reason}${step === undefined ? '' : ` ${step}`}`,
    run ?? '',
    Object.entries(counts)
      .map(([record, count]) => `${count.toLocaleString('en')} ${record}`)
      .join(', '),
    `${(bytes / 1_000_000).toFixed(1)} MB`,
  ]);
  return formatTable([['VERSION', 'TIME', 'WHY', 'RUN', 'RECORDS', 'SIZE'], ...rows]);
}

function diffText(diff: StoreDiff): string {
  const lines = Object.entries(diff).flatMap(([record, { added, removed, changed, changes }]) => {
    if (added + removed + changed === 0) return [`${record}: no difference`];
    const head = `${record}: ${String(added)} added, ${String(removed)} removed, ${String(changed)} changed`;
    const listed = changes.map(({ id, before, after }) => {
      if (before === undefined) return `  ${pc.green(`+ ${String(id)}`)} ${shown(after)}`;
      if (after === undefined) return `  ${pc.red(`- ${String(id)}`)} ${shown(before)}`;
      const parts = Object.keys(after)
        .filter((column) => text(before[column]) !== text(after[column]))
        .map((column) => `${column}: ${text(before[column])} → ${text(after[column])}`);
      return `  ${pc.yellow(`~ ${String(id)}`)} ${parts.join(', ')}`;
    });
    const more = added + removed + changed - changes.length;
    return [head, ...listed, ...(more > 0 ? [`  … and ${String(more)} more`] : [])];
  });
  return lines.join('\n');
}

/** Longest value that is shown. */
const VALUE_WIDTH = 60;

function shown(values: Readonly<Record<string, unknown>> | undefined): string {
  return Object.entries(values ?? {})
    .map(([column, value]) => `${column}: ${text(value)}`)
    .join(', ');
}

function text(value: unknown): string {
  const json =
    typeof value === 'bigint' ? String(value) : (JSON.stringify(value) as string | undefined);
  return oneLine(json ?? 'none', VALUE_WIDTH);
}
