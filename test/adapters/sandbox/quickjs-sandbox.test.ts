import { afterAll, describe, expect, it } from '@jest/globals';
import { quickjsSandbox } from '../../../adapters/sandbox/quickjs-sandbox.js';
import type { ScriptItem } from '../../../src/attribute-pipeline/sandbox.js';
import type { Json, JsonObject } from '../../../src/definition/json.js';

function item(inputs: JsonObject, value: Json = null, meta: JsonObject = {}): ScriptItem {
  return { entityId: 'e1', inputs, value, meta };
}

describe('the sandbox', () => {
  const sandbox = quickjsSandbox();
  afterAll(() => sandbox.close());

  async function one(code: string, of = item({ width: 3, name: 'Zoë' })) {
    const [outcome] = await sandbox.run(code, [of]);
    return outcome;
  }

  it('gives a script the inputs, the value, what was noted, and outcomes in their order', async () => {
    const code = 'return [$json.width, $input("name"), $value, $meta.by];';
    const outcomes = await sandbox.run(code, [
      item({ width: 1, name: 'a' }, 10, { by: 'x' }),
      item({ width: 2, name: null }, [true], { by: null }),
    ]);
    expect(outcomes).toEqual([
      {
        kind: 'ok',
        value: [1, 'a', 10, 'x'],
        confidence: 1,
        justification: null,
        meta: {},
        logs: [],
      },
      expect.objectContaining({ value: [2, null, [true], null] }),
    ]);
    expect(await sandbox.run('return 1', [])).toEqual([]);
  });

  it.each<readonly [string, unknown]>([
    ['return 1.5', 1.5],
    ['return "ä\\u2028\\u0000"', 'ä\u2028\0'],
    ['return null', null],
    ['return false', false],
    ['return [1, { a: null }]', [1, { a: null }]],
    ['return new Date(0)', '1970-01-01T00:00:00.000Z'],
    ['return { value: { a: undefined, b: 1 } }', { b: 1 }],
    ['return { value: new Map([[1, 2]]) }', {}],
    ['"use strict"; return this === undefined', true],
  ])('takes the value of %s', async (code, value) => {
    expect(await one(code)).toMatchObject({ kind: 'ok', value, confidence: 1 });
  });

  it('takes a justification, a confidence and notes beside the value', async () => {
    const code =
      'return { value: 2, confidence: 0.25, justification: "wide", meta: { of: $json.width } };';
    expect(await one(code)).toEqual({
      kind: 'ok',
      value: 2,
      confidence: 0.25,
      justification: 'wide',
      meta: { of: 3 },
      logs: [],
    });
    expect(await one('return { value: 1, confidence: null }')).toMatchObject({ confidence: null });
  });

  it.each<readonly [string, RegExp]>([
    ['return { wide: true, high: 1 }', /object without value; it has wide, high/],
    ['return {}', /it has nothing/],
    ['const x = 1;', /gives nothing: end it with return/],
    ['return { value: undefined }', /value is undefined/],
    ['return { value: 1, values: 2 }', /gives "values"; there are value/],
    ['return { value: 1, confidence: 2 }', /from 0 to 1, or null; it is 2/],
    ['return { value: 1, confidence: "high" }', /it is high/],
    ['return { value: 1, justification: 7 }', /justification is a text, or null; it is a number/],
    ['return { value: 1, meta: [] }', /meta is an object; it is a list/],
    ['return 0 / 0', /The value is NaN/],
    ['return { value: { a: [1 / 0] } }', /Member "0" of the value is Infinity/],
    ['return { value: { f() {} } }', /Member "f" of the value is a function/],
    ['return 10n', /is a bigint/],
    ['return [undefined]', /Member "0" of the value is undefined/],
    ['return $input("heigth")', /no input "heigth"; there are width, name/],
    ['return $json.size.large', /undefined/],
  ])('says what is wrong with %s', async (code, message) => {
    expect(await one(code)).toMatchObject({
      kind: 'error',
      message: expect.stringMatching(message),
    });
  });

  it('tells in which line of the script an error was', async () => {
    expect(await one('const a = 1;\n\nreturn a + b;')).toMatchObject({
      name: 'ReferenceError',
      line: 3,
    });
    expect(
      await one('function f() {\n  throw new RangeError("no");\n}\nreturn f();'),
    ).toMatchObject({
      name: 'RangeError',
      message: 'no',
      line: 2,
    });
  });

  it('goes on with the others when a script fails for one', async () => {
    const code = 'if ($json.n === 2) throw new Error("two"); return $json.n;';
    const outcomes = await sandbox.run(
      code,
      [1, 2, 3].map((n) => item({ n })),
    );
    expect(outcomes).toMatchObject([{ value: 1 }, { kind: 'error', message: 'two' }, { value: 3 }]);
  });

  it('keeps what a script writes, within bounds', async () => {
    const outcome = await one(
      'console.log("size", { a: [1] }, null); console.warn(new Error("odd")); console.info(); return 1;',
    );
    expect(outcome).toMatchObject({ logs: ['size {"a":[1]} null', 'Error: odd', ''] });
    const many = await one(
      'for (let n = 0; n < 60; n += 1) console.log("x".repeat(2_000)); return 1;',
    );
    expect(many?.logs).toHaveLength(51);
    expect(many?.logs[50]).toBe('… and more');
    expect(many?.logs[0]).toHaveLength(1_001);
    expect(await one('console.log("before"); throw new Error("x");')).toMatchObject({
      kind: 'error',
      logs: ['before'],
    });
  });

  it.each<readonly [string, unknown]>([
    ['round(2.345, 2)', 2.35],
    ['round(-1.5)', -1],
    ['clamp(12, 0, 10)', 10],
    ['number("1,234.5")', 1234.5],
    ['number("many")', null],
    ['number("")', null],
    ['sum([1, null, 2.5])', 3.5],
    ['average([1, null, 2])', 1.5],
    ['average([])', null],
    ['median([3, 1, 2])', 2],
    ['median([4, 1, 2, 3])', 2.5],
    ['unique([1, 2, 1])', [1, 2]],
    ['slug(" Ärger & Co. ")', 'arger-co'],
    ['days("2026-01-01", "2026-03-01")', 59],
    ['days("soon", "2026-03-01")', null],
  ])('has $helpers.%s', async (call, value) => {
    expect(await one(`return $helpers.${call}`)).toMatchObject({ kind: 'ok', value });
  });

  it('checks a script before it is run', async () => {
    expect(await sandbox.check('return $json.a ?? 1;')).toBeUndefined();
    expect(await sandbox.check('const a = 1;\nreturn a +;')).toEqual({
      message: 'Unexpected token (line 2, column 11)',
      line: 2,
      column: 11,
    });
    expect(await sandbox.check('  ')).toMatchObject({ message: 'The script is empty.' });
    expect(await sandbox.check('}')).toMatchObject({ line: 1, column: 1 });
    expect(await sandbox.check('x'.repeat(100_001))).toMatchObject({
      message: expect.stringMatching(/100001 characters; the most are 100000/),
    });
    expect(await sandbox.check('a\n--> b')).toMatchObject({ line: 2, column: 1 });
  });

  it('works on batches one after the other, and refuses more than may wait', async () => {
    const narrow = quickjsSandbox({ waiting: 3 });
    const runs = await Promise.allSettled(
      [1, 2, 3, 4, 5, 6].map((n) => narrow.run('return $json.n', [item({ n })])),
    );
    expect(runs.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
    expect(runs[5]).toMatchObject({ reason: { name: 'SandboxUnavailable', reason: 'busy' } });
    await narrow.close();
    await expect(narrow.run('return 1', [])).rejects.toMatchObject({ reason: 'closed' });
  });

  it('ends a batch whose run is cancelled', async () => {
    const signal = AbortSignal.timeout(50);
    const running = sandbox.run('for (;;) {}', [item({})], { signal });
    await expect(running).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(await one('return 1')).toMatchObject({ value: 1 });
    const never = sandbox.run('return 1', [item({})], {
      signal: AbortSignal.abort(new Error('no')),
    });
    await expect(never).rejects.toThrow('no');
  });

  it('ends an endless loop after ten seconds, says at which entity, and goes on', async () => {
    const startedAt = Date.now();
    const items = [1, 2, 3].map((n) => item({ n }));
    await expect(
      sandbox.run('while ($json.n === 2) {} return $json.n;', items),
    ).rejects.toMatchObject({
      reason: 'timeout',
      index: 1,
      message: expect.stringMatching(/longer than 10000 ms \(timeoutMs\), at item 1/),
    });
    expect(Date.now() - startedAt).toBeGreaterThan(9_900);
    expect(await one('return 1')).toMatchObject({ value: 1 });
  }, 30_000);
});
