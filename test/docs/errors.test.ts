import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { FAILURE_TYPES } from '../../src/pipeline/failure.js';
import { readPage, ROOT } from './page.js';

/** The first columns of the tables of a part of a page. */
function rows(text: string): readonly string[] {
  return [...text.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, name = '']) => name);
}

function section(page: string, heading: string): string {
  const [, text = ''] = readPage(page).split(`\n## ${heading}\n`);
  return text.split('\n## ')[0] ?? '';
}

describe('docs/errors.md', () => {
  it('explains every type that the product itself raises in a run', () => {
    const told = rows(section('docs/errors.md', 'In a run'));
    const others = ['cancelled', 'terminated'];
    expect([...told].sort()).toEqual([...Object.values(FAILURE_TYPES), ...others].sort());
  });

  it('explains every type that moving rows ends with', () => {
    const told = rows(section('docs/errors.md', 'Of data flows'));
    const folder = join(ROOT, 'activities/data-flow');
    const code = [
      ...readdirSync(folder).map((file) => join(folder, file)),
      join(ROOT, 'workflows/flow-failure.ts'),
    ].map((file) => readFileSync(file, 'utf8'));
    const types = code.flatMap((text) =>
      [...text.matchAll(/(?:^ {4,}|permanent\([^;]*?, |type: )'([A-Z]\w+)'[,)]/gm)].map(
        ([, type = '']) => type,
      ),
    );
    expect(types.length).toBeGreaterThan(5);
    const others = ['ConfigurationInvalid', 'ContractChanged', 'FenceLost', 'WorkerLost'];
    expect([...told].sort()).toEqual([...new Set([...types, ...others])].sort());
  });

  it('explains every type that a built-in operation has, and no other', () => {
    const told = rows(section('docs/errors.md', 'Of built-in operations'));
    const tables = readPage('docs/operations.md')
      .split(/^\| error +\|.*$/m)
      .slice(1);
    const types = tables.flatMap((table) => rows(table.split('\n\n')[0] ?? ''));
    expect([...told].sort()).toEqual([...types].sort());
  });
});
