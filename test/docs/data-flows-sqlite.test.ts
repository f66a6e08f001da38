import { describe, expect, it } from '@jest/globals';
import {
  commandOf,
  expectBackfilled,
  marked,
  PAGE,
  STEP_MS,
  stepsIn,
  useReader,
} from './data-flows-reader.js';

describe(`${PAGE} with SQLite`, () => {
  const reader = useReader(async () => ({}));

  it.each(stepsIn('sqlite'))(
    '%s does what it says',
    (_place, block) => reader.follow(block),
    STEP_MS,
  );

  it('has gone on where the killed process was', () => {
    reader.expectContinuation();
  });

  it('has run the import on its schedule, for the time that was asked for', async () => {
    await expectBackfilled(reader);
  });

  it('lets nobody call the heartbeat without the token', async () => {
    const [line = ''] = marked
      .filter(({ language }) => language === 'crontab')
      .map(({ code }) => code);
    const status = '-o answer.json -w "%{http_code}"';
    const without = commandOf(line)
      .replace('-fsS', `-s ${status}`)
      .replace('-H @$HOME/heartbeat-header', '');
    expect(await reader.terminal.type(without)).toBe('401');
    const wrong = commandOf(line)
      .replace('-fsS', `-s ${status}`)
      .replace('@$HOME/heartbeat-header', '"X-Heartbeat-Token: no"');
    expect(await reader.terminal.type(wrong)).toBe('401');
    expect(await reader.terminal.type(commandOf(line).replace('-fsS', `-s ${status}`))).toBe('200');
  });

  it(
    'has run the flow after the other',
    async () => {
      const count = await reader.terminal.type(
        'sort -u large-orders.ndjson | wc -l; wc -l < large-orders.ndjson',
      );
      const [distinct, lines] = count.trim().split(/\s+/);
      expect([distinct, lines]).toEqual([lines, lines]);
      await reader.terminal.type(
        "echo '500001,customer-1,99.50,2026-02-03' >> orders.csv; npx millrace flows run import-orders",
      );
      await reader.until(async () => (await reader.runs('export-orders'))[0]?.trigger === 'after');
    },
    STEP_MS,
  );
});
