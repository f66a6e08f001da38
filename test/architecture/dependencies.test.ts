import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';

const REPOSITORY = path.resolve(import.meta.dirname, '../..');

const versions = z.record(z.string(), z.string());
const manifest = z
  .object({ dependencies: versions, devDependencies: versions })
  .parse(JSON.parse(readFileSync(path.join(REPOSITORY, 'package.json'), 'utf8')));
const page = readFileSync(path.join(REPOSITORY, 'docs/dependencies.md'), 'utf8');

/** The rows of the table under a heading: the package's name, then the other cells. */
function rowsUnder(heading: string): string[][] {
  const section = page.split(/^## /m).find((it) => it.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^\| `([^`]+)` +\|(.*)\|$/gm)].map(([, name = '', cells = '']) => [
    name,
    ...cells.split('|').map((cell) => cell.trim()),
  ]);
}

function namesUnder(heading: string): string[] {
  return rowsUnder(heading).map(([name = '']) => name);
}

describe('docs/dependencies.md', () => {
  it('gives a reason for every runtime dependency, and for no other package', () => {
    expect(namesUnder('Runtime')).toEqual(Object.keys(manifest.dependencies).sort());
  });

  it('gives a reason for every development dependency, and for no other package', () => {
    expect(namesUnder('Development')).toEqual(Object.keys(manifest.devDependencies).sort());
  });

  it('leaves no reason empty', () => {
    const rows = ['Runtime', 'Development', 'Held back'].flatMap(rowsUnder);
    expect(rows.filter((cells) => cells.includes(''))).toEqual([]);
  });

  it('names the major at which each package is really held', () => {
    const wanted = { ...manifest.dependencies, ...manifest.devDependencies };
    const held = rowsUnder('Held back').map(([name = '', major = '']) => [name, major]);

    expect(held.length).toBeGreaterThan(0);
    expect(held).toEqual(
      held.map(([name = '']) => [name, /\d+/.exec(wanted[name] ?? '')?.[0] ?? 'not a dependency']),
    );
  });

  it('tells the truth about the Temporal packages: one exact version for all', () => {
    const temporal = Object.entries(manifest.dependencies).filter(([name]) =>
      name.startsWith('@temporalio/'),
    );
    expect(new Set(temporal.map(([, version]) => version)).size).toBe(1);
    expect(temporal[0]?.[1]).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
