import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { pages, readPage, ROOT } from './page.js';

/** Pages without their code, in which brackets mean something else. */
function prose(page: string): string {
  return readPage(page)
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ''));
}

/** What a link in a page leads to: `../src/a.ts`, `pipelines.md#stages`, `https://…`. */
function linksOf(page: string): readonly string[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): readonly string[] {
  const text = readPage(page).replace(/^```[\s\S]*?^```$/gm, '');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('links', () => {
  it.each(pages())('of %s lead somewhere', (page) => {
    const broken = linksOf(page).filter((link) => {
      if (/^[a-z]+:/.test(link)) return !URL.canParse(link);
      const [path = '', anchor] = link.split('#');
      const file = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
      if (!existsSync(join(ROOT, file))) return true;
      if (anchor === undefined) return false;
      return !statSync(join(ROOT, file)).isFile() || !anchorsOf(file).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('of the index lead to every page', () => {
    const linked = linksOf('docs/README.md').map((link) => join('docs', link));
    const others = pages().filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
    expect(linked).toEqual(expect.arrayContaining([...others]));
  });
});
