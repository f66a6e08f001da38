import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

/** The page that tells of performance, from the folder of compiled files. */
const PAGE = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));

/** The section that each complete benchmark replaces. */
export const HEADING = '## Latest results';

/** The section that each complete benchmark of data flows replaces. */
export const FLOW_HEADING = '## Latest results of data flows';

/** The section that each complete benchmark of record pipelines replaces. */
export const RECORDS_HEADING = '## Latest results of record pipelines';

/** The section that each complete benchmark of attribute pipelines replaces. */
export const ATTRIBUTES_HEADING = '## Latest results of attribute pipelines';

/** A page without the section that was to be replaced. */
export class SectionMissing extends Error {
  override readonly name = 'SectionMissing';
  constructor(readonly heading: string) {
    super(`the page has no heading "${heading}"`);
  }
}

/** Writes a report into the page, in the form that the format check wants. */
export async function writeReport(text: string, heading = HEADING): Promise<string> {
  const page = replaceSection(await readFile(PAGE, 'utf8'), heading, text);
  await writeFile(PAGE, await format(page, { ...(await resolveConfig(PAGE)), filepath: PAGE }));
  return PAGE;
}

/**
 * A page whose section under a heading has another text; what comes before and after it stays.
 *
 * @throws {@link SectionMissing}
 */
export function replaceSection(page: string, heading: string, text: string): string {
  const lines = page.split('\n');
  const start = lines.indexOf(heading);
  if (start === -1) throw new SectionMissing(heading);
  const length = lines.slice(start + 1).findIndex((line) => line.startsWith('## '));
  const after = length === -1 ? [] : lines.slice(start + 1 + length);
  return [...lines.slice(0, start + 1), '', text.trim(), '', ...after].join('\n');
}
