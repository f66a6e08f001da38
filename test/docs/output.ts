import { expect } from '@jest/globals';

/** What differs from run to run, and stands for itself in a page: ids, times, durations, ports. */
const VARYING = /^(?:0[0-9A-Z]{25}|[0-9a-f]{32}|[0-9a-f-]{36}|\d{4}-\d{2}-\d{2}T[\d:.]+Z)$/;

/** Members whose values vary, though nobody sees it in them. */
const VARYING_MEMBERS: readonly string[] = ['duration_ms', 'attempts', 'completed', 'total'];

/**
 * A JSON value with everything that varies replaced, so that what a page shows and what a command prints can be compared:
 * ids, times and durations; the ids in paths; the port in URLs. A text or a list that a page shortens with `…` stands for
 * any that begins alike.
 */
export function comparable(value: unknown, member = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => comparable(item));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, comparable(item, name)]),
    );
  }
  if (typeof value === 'number' && VARYING_MEMBERS.includes(member)) return 'a number';
  if (typeof value !== 'string') return value;
  if (VARYING.test(value)) return 'an id or a time';
  return value
    .replace(/0[0-9A-Z]{25}|[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT');
}

/**
 * Replaces in what was printed what a page has shortened: where it shows `…`, whatever came there. An object with a member of that name
 * has others, too.
 */
export function shortenedLike(shown: unknown, printed: unknown): unknown {
  if (typeof shown === 'string' && shown.endsWith('…') && typeof printed === 'string') {
    return printed.startsWith(shown.slice(0, -1)) ? shown : printed;
  }
  if (Array.isArray(shown) && Array.isArray(printed)) {
    const open = shown.at(-1) === '…';
    const all: readonly unknown[] = printed;
    const kept = open ? [...all.slice(0, shown.length - 1), '…'] : all;
    return kept.map((item, index) => shortenedLike(shown[index], item));
  }
  if (isRecord(shown) && isRecord(printed)) {
    const open = '…' in shown;
    const kept = Object.entries(printed).filter(([name]) => !open || name in shown);
    return Object.fromEntries([
      ...kept.map(([name, item]) => [name, shortenedLike(shown[name], item)] as const),
      ...(open ? [['…', '…'] as const] : []),
    ]);
  }
  return printed;
}

/** The events of a stream's text, with what varies replaced. Comments and hints, which come or do not, are left out. */
export function comparableEvents(text: string): readonly unknown[] {
  return text
    .split('\n\n')
    .filter((part) => part.startsWith('id: '))
    .map((part) => {
      const event = /^event: (.+)$/m.exec(part)?.[1];
      const data = /^data: (.+)$/m.exec(part)?.[1] ?? 'null';
      return { event, data: comparable(JSON.parse(data)) };
    });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Compares the JSON that a page shows with the JSON that its commands have printed. */
export function expectPrinted(shown: string, printed: string): void {
  const expected: unknown = JSON.parse(shown);
  expect(comparable(shortenedLike(expected, JSON.parse(printed)))).toEqual(comparable(expected));
}
