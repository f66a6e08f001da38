import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FLOW_HEADING,
  HEADING,
  RECORDS_HEADING,
  replaceSection,
  SectionMissing,
} from '../../bench/document.js';

const PAGE =
  '# Page\n\nBefore.\n\n## Results\n\nOld.\n\n### Part\n\nOld too.\n\n## After\n\nKept.\n';

describe('the page of results', () => {
  it('gets a new section in place of the old one, and keeps what is around it', () => {
    expect(replaceSection(PAGE, '## Results', 'New.\n')).toBe(
      '# Page\n\nBefore.\n\n## Results\n\nNew.\n\n## After\n\nKept.\n',
    );
  });

  it('may have the section at its end', () => {
    expect(replaceSection(PAGE, '## After', 'New.')).toContain('## After\n\nNew.\n');
  });

  it('is not touched where the heading is missing', () => {
    expect(() => replaceSection(PAGE, '## Nowhere', 'New.')).toThrow(SectionMissing);
  });

  it.each([HEADING, FLOW_HEADING, RECORDS_HEADING])(
    'has the heading %j, which a benchmark looks for',
    (heading) => {
      const page = readFileSync(join(import.meta.dirname, '../../docs/performance.md'), 'utf8');
      expect(page.split('\n')).toContain(heading);
    },
  );
});
