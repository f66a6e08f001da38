import type { Problem, Site } from '../../src/definition/problem.js';

/** Problems by file and line, each once. */
export function inOrder(problems: readonly Problem[]): readonly Problem[] {
  const once = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...once.values()].sort((a, b) => {
    const byFile = compareText(a.site?.file ?? '', b.site?.file ?? '');
    return (
      byFile ||
      position(a.site, 'line') - position(b.site, 'line') ||
      position(a.site, 'column') - position(b.site, 'column')
    );
  });
}

function position(site: Site | undefined, part: 'line' | 'column'): number {
  return site?.[part] ?? 0;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
