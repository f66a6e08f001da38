import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AttributeProgress, takenTogether } from '../../cli/attributes/attribute-progress.js';
import { severalView, type SeveralProgress } from '../../cli/attributes/several-view.js';
import type { RunEvent } from '../../src/progress/run-event.js';

/** What takes a cursor away, and gives it back. */
const CURSOR = { hidden: '\u001b[?25l', shown: '\u001b[?25h' } as const;

/** What removes three lines. */
const CLEARED = '\r\u001b[3A\u001b[0J';

/** A terminal, or a file, that keeps what is written. */
function recorder(isTTY: boolean, rows = 24) {
  const stream = new PassThrough();
  const written = (): string => String(stream.read() ?? '');
  // Of a terminal's stream the views use no more.
  const target = Object.assign(stream, { isTTY, columns: 120, rows }) as unknown;
  return { target: target as NodeJS.WriteStream, written };
}

function progressOf(...events: readonly Pick<RunEvent, 'type' | 'data'>[]): AttributeProgress {
  const progress = new AttributeProgress();
  for (const event of events) progress.take({ ...event, time: 0 });
  return progress;
}

const COMPUTED = {
  type: 'attribute_run_progress',
  data: {
    completed: 50,
    total: 100,
    processed: 48,
    failed: 2,
    tokens_in: 500,
    tokens_out: 90,
    cost: 0.0123,
    entities_per_second: 25,
    eta_seconds: 2,
  },
} as const;
const WAITING = {
  type: 'attribute_run_waiting',
  data: { reason: '**box.blurb**: waits for its budget' },
} as const;

/** Two runs that go on, and one that has ended. */
function several(): SeveralProgress {
  const progress = [progressOf(COMPUTED), progressOf(COMPUTED, WAITING)] as const;
  const startedAt = Date.now();
  return {
    planned: 3,
    ended: 1,
    running: [
      { name: 'box.area', startedAt, progress: progress[0] },
      { name: 'box.blurb', startedAt, progress: progress[1] },
    ],
    taken: takenTogether(progress.map(({ taken }) => taken)),
  };
}

describe('the progress of several runs', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('has a line for each run that goes on, and one for all, on a terminal', () => {
    const { target, written } = recorder(true);
    const view = severalView(target, ['box.area', 'box.blurb', 'box.size']);
    view.show(several());
    const lines = stripVTControlCharacters(written()).split('\n');
    expect(lines[0]).toMatch(
      /box\.area {6}█{12}░{12} 50 % 48 computed, 2 failed, cost 0\.0123, 25\/s, 2\.0 s to go/,
    );
    expect(lines[1]).toMatch(/box\.blurb {5}box\.blurb: waits for its budget/);
    expect(lines[2]).toMatch(
      /1 of 3 ended {2}96 computed, 4 failed, cost 0\.0246, 1,000 tokens in, 180 out/,
    );
    view.end();
    expect(written().startsWith(CLEARED)).toBe(true);
  });

  it('makes room for what others write', () => {
    const { target, written } = recorder(true);
    const view = severalView(target, ['box.area']);
    view.show(several());
    written();
    view.aside(() => {
      expect(written()).toBe(CLEARED);
    });
    expect(written()).toMatch(/box\.area.*box\.blurb.*1 of 3 ended/s);
    view.end();
  });

  it('has no more lines than the terminal', () => {
    const { target, written } = recorder(true, 4);
    const view = severalView(target, ['box.area']);
    view.show(several());
    const shown = written();
    expect(shown).toContain(CURSOR.hidden);
    expect(shown).not.toMatch(/box\.blurb/);
    expect(shown.split('\n')).toHaveLength(3);
    view.end();
    expect(written()).toContain(CURSOR.shown);
  });

  it('tells elsewhere once what is waited for, and how far it is from time to time', () => {
    const { target, written } = recorder(false);
    const view = severalView(target, ['box.area']);
    view.show(several());
    view.show(several());
    expect(written()).toMatch(/^ {2}box\.blurb {2}box\.blurb: waits for its budget {2}\d+ ms\n$/);
    jest.advanceTimersByTime(2_500);
    view.show(several());
    expect(written()).toBe(
      '  1 of 3 ended  96 computed, 4 failed, cost 0.0246, 1,000 tokens in, 180 out; running: box.area, box.blurb  2.5 s\n',
    );
    view.end();
  });
});
