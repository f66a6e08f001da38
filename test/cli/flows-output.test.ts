import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { errorReport } from '../../cli/error-report.js';
import { formatInterval } from '../../cli/flows/flow-format.js';
import { progressText } from '../../cli/flows/flow-view.js';
import { listText } from '../../cli/flows/list.js';
import type { FlowOverview } from '../../cli/flows/flow-overview.js';
import { summaryText } from '../../cli/flows/run-text.js';
import { visibleWidth } from '../../cli/format.js';
import { lacksRoutes } from '../../cli/listen-options.js';
import { CatalogNewer, CatalogUnavailable } from '../../adapters/catalog/catalog-errors.js';
import {
  FlowActive,
  FlowNotFound,
  FlowNotScheduled,
  FlowRunNotFound,
} from '../../engine/data-flow/flow-errors.js';
import { EMPTY_REGISTRY } from '../../engine/registry.js';
import { type ConfigDefinition } from '../../src/config/config.js';
import { parseConfig } from '../../src/config/project-config.js';
import type { FlowRunStatus } from '../../src/data-flow/catalog.js';
import { NO_ROWS, type RowCounts } from '../../src/data-flow/row.js';
import { compileDataFlow } from '../../src/data-flow/compile.js';
import { defineDataFlow } from '../../src/data-flow/data-flow.js';
import { ConfigurationInvalid } from '../../src/data-flow/configuration.js';

const PROGRESS = { read: 5_800, written: 5_785, rejected: 15, rowsPerSecond: 8_312.4 };

describe('the progress of a flow on a terminal', () => {
  it('is a bar with all numbers where there is room', () => {
    expect(progressText({ ...PROGRESS, fraction: 0.585 }, 90)).toBe(
      '██████████████░░░░░░░░░░ 58 % 5,800 read, 5,785 written, 15 rejected, 8,312 rows/s',
    );
  });

  it('leaves numbers out, the least important first, where there is none', () => {
    for (const room of [75, 60, 40, 25]) {
      const text = progressText({ ...PROGRESS, fraction: 0.585 }, room);
      expect(visibleWidth(text)).toBeLessThanOrEqual(room);
      expect(text).toContain('58 % 5,800 read');
    }
    expect(progressText({ ...PROGRESS, fraction: 0.585 }, 14)).toBe('████░░░░ 58 % ');
  });

  it('has no bar where the source cannot tell, and says 100 % of nothing that goes on', () => {
    expect(progressText({ ...PROGRESS, rejected: 0 }, 90)).toBe(
      '5,800 read, 5,785 written, 8,312 rows/s',
    );
    expect(progressText({ ...PROGRESS, fraction: 1 }, 30)).toContain('99 %');
  });
});

describe('intervals', () => {
  it('are told in the largest unit that fits', () => {
    expect([1, 90, 300, 5_400, 7_200, 86_400, 129_600].map(formatInterval)).toEqual([
      ...['1s', '90s', '5m', '90m', '2h', '1d', '36h'],
    ]);
  });
});

describe('the list of flows', () => {
  const record = {
    ...{ id: '1', name: 'import-orders', description: null, enabled: true, runInterval: null },
    ...{ configuration: {}, heartbeat: false, lastRunAt: null, lastRunStatus: null, cursor: null },
    ...{ note: null, lastRunSeq: 0, seenAt: new Date(), backfills: [] },
    ...{ createdAt: new Date(), updatedAt: new Date() },
  };
  const orphan: FlowOverview = {
    state: { record, definition: undefined, configurationProblems: [] },
  };

  it('takes two lines for each flow where a table would not fit', () => {
    const plain = (width: number): string => stripVTControlCharacters(listText([orphan], width));
    expect(plain(200)).toMatch(/^NAME .*STATE\nimport-orders .*orphan$/);
    expect(plain(30)).toBe('import-orders  orphan');
    expect(listText([], 80)).toContain('There are no data flows yet');
  });

  it('says why somebody keeps a flow from running, in one line', () => {
    const { flow: definition } = compileDataFlow({
      definition: defineDataFlow({ name: 'import-orders', run: () => undefined }),
      locate: () => undefined,
    });
    const overview = (note: string | null): FlowOverview => ({
      state: {
        record: { ...record, enabled: false, note },
        definition,
        configurationProblems: [],
      },
      schedule: { paused: true, note: 'Millrace: disabled', next: [], skipped: 0 },
    });
    const last = (note: string | null): string | undefined =>
      stripVTControlCharacters(listText([overview(note)], 200))
        .split('  ')
        .at(-1)
        ?.trim();
    expect(last('stocktaking,\n\u001B[31m  by ann')).toBe('disabled: stocktaking, by ann');
    expect(last('x'.repeat(90))).toBe(`disabled: ${'x'.repeat(59)}…`);
    expect(last(null)).toBe('disabled');
  });
});

describe('the summary of a run', () => {
  const at = new Date();
  const textOf = (status: FlowRunStatus, counts: Partial<RowCounts>): string =>
    stripVTControlCharacters(
      summaryText({
        ...{ id: '1', flow: 'orders', runSeq: 3, status, trigger: 'manual', workflowId: 'w' },
        ...{ createdAt: at, startedAt: at, endedAt: new Date(at.getTime() + 2_000) },
        ...{ errorMessage: null, errorBacktrace: null, firstCursor: null, lastCursor: null },
        ...{ counts: { ...NO_ROWS, ...counts }, scheduledAt: null, plan: null, principal: null },
      }),
    );

  it('of one that failed says what was moved, and not that there was nothing new', () => {
    expect(textOf('success', {})).toContain('success  nothing new to read, in 2');
    expect(textOf('failed', {})).toContain('failed  nothing was moved, in 2');
    expect(textOf('failed', { rejected: 101 })).toMatch(
      /nothing was moved, in 2\.0 s\n {4}101 rejected\n {4}Rejected rows: millrace flows rejections orders 3\n/,
    );
    expect(textOf('failed', { read: 400, written: 390 })).toContain(
      '400 rows read, 390 written in',
    );
    expect(textOf('success', { read: 400, written: 390 })).toContain('success  400 rows in 2');
  });
});

describe('the exit code', () => {
  it('is 2 for what a person has asked wrongly of a flow, and 1 for a catalog that is not there', () => {
    const run = { flow: 'orders', runSeq: 3, status: 'in_progress' } as never;
    const wrong = [
      new FlowNotFound('orders'),
      new FlowRunNotFound('orders', '9'),
      new FlowActive(run),
      new FlowNotScheduled('orders', 'next times'),
      new ConfigurationInvalid('orders', []),
    ];
    expect(wrong.map((error) => errorReport(error).exitCode)).toEqual([2, 2, 2, 2, 2]);
    const away = [
      new CatalogUnavailable('postgres://db', 'no route', 'Start it.'),
      new CatalogNewer('postgres://db', ['0009'], '1.0.0'),
    ];
    expect(away.map((error) => errorReport(error).exitCode)).toEqual([1, 1]);
    expect(errorReport(away[0]).text).toContain(
      'The catalog postgres://db cannot be opened: no route. Start it.',
    );
  });
});

describe('a server', () => {
  const lacks = (definition: ConfigDefinition, flows: number): boolean => {
    const { config } = parseConfig(definition);
    const dataFlows = new Map(Array.from({ length: flows }, (_, at) => [String(at), {} as never]));
    return lacksRoutes({ config: config!, registry: { ...EMPTY_REGISTRY, dataFlows } });
  };

  it('lacks routes only where it serves neither pipelines nor data flows', () => {
    expect(lacks({}, 0)).toBe(true);
    expect(lacks({}, 1)).toBe(true);
    expect(lacks({ dataFlows: { routes: true } }, 1)).toBe(false);
    expect(lacks({ dataFlows: { routes: true } }, 0)).toBe(true);
    expect(lacks({ catchAllRoutes: true }, 0)).toBe(false);
  });
});
