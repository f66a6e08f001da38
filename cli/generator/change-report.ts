import pc from 'picocolors';
import type { FileChange } from '../../generator/project/changes.js';
import { differences } from '../../generator/project/diff.js';
import { formatTable } from '../format.js';

/** How changes are told of. */
export interface ChangeReport {
  readonly changes: readonly FileChange[];
  /** Files that differ are written over. */
  readonly force: boolean;
}

/** Files and what becomes of them, one a line, with the differences of those that are there. */
export function changeReport({ changes, force }: ChangeReport): string {
  const table = formatTable(changes.map((change) => [`  ${wordFor(change, force)}`, change.path]));
  return table
    .split('\n')
    .flatMap((line, at) => [line, ...differencesOf(changes[at])])
    .join('\n');
}

function wordFor({ kind }: FileChange, force: boolean): string {
  switch (kind) {
    case 'create':
      return pc.green('create');
    case 'same':
      return pc.dim('same');
    case 'amend':
      return pc.cyan('amend');
    case 'differs':
      return force ? pc.red('overwrite') : pc.yellow('differs');
  }
}

function differencesOf(change: FileChange | undefined): readonly string[] {
  if (change === undefined || !('before' in change)) return [];
  return differences(change.before, change.text).map((line) => `      ${coloured(line)}`);
}

function coloured(line: string): string {
  if (line.startsWith('+')) return pc.green(line);
  if (line.startsWith('-')) return pc.red(line);
  return pc.dim(line);
}
