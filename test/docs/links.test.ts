import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { packedFiles } from '../support/packing.js';
import { examplePages, pages, readPage, ROOT } from './page.js';

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

/** The file that a link leads to, in the repository; undefined for an address elsewhere. */
function fileOf(page: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [path = ''] = link.split('#');
  return path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
}

/** A map of the source, which the package does not have; it says so itself. */
const MAP_OF_THE_SOURCE = 'ARCHITECTURE.md';

describe('links', () => {
  it.each([...pages(), ...examplePages()])('of %s lead somewhere', (page) => {
    const broken = linksOf(page).filter((link) => {
      const file = fileOf(page, link);
      if (file === undefined) return !URL.canParse(link);
      const [, anchor] = link.split('#');
      if (!existsSync(join(ROOT, file))) return true;
      if (anchor === undefined) return false;
      return !statSync(join(ROOT, file)).isFile() || !anchorsOf(file).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('of packed pages lead to packed files', async () => {
    const packed = await packedFiles();
    const read = pages().filter((page) => packed.includes(page));
    expect(read).toEqual(pages());
    const missing = read
      .filter((page) => page !== MAP_OF_THE_SOURCE)
      .flatMap((page) => linksOf(page).map((link) => [page, link, fileOf(page, link)] as const))
      .filter(([, , file]) => file !== undefined && !packed.includes(file))
      .map(([page, link]) => `${page}: ${link}`);
    expect(missing).toEqual([]);
  });

  it('of the index lead to every page', () => {
    const linked = linksOf('docs/README.md').map((link) => join('docs', link));
    const others = pages().filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
    expect(linked).toEqual(expect.arrayContaining([...others]));
  });
});
