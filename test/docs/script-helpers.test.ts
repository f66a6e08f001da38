import { afterAll, describe, expect, it } from '@jest/globals';
import { SCRIPT_HELPERS } from '../../adapters/sandbox/helpers.js';
import { quickjsSandbox } from '../../adapters/sandbox/quickjs-sandbox.js';
import type { JsonObject } from '../../src/definition/json.js';
import { blocksOf, readPage } from './page.js';

const PAGE = 'docs/modules.md';

/** Rows of the table of helpers: signature, description, a call, what it gives. */
const ROWS = [
  ...readPage(PAGE).matchAll(/^\| `(\w+\(.*?\))` +\| (.+?) +\| `(.+?)` +\| `(.+?)` +\|$/gm),
].map(([, signature = '', description = '', call = '', gives = '']) => ({
  signature,
  description,
  call,
  gives,
}));

describe('docs/modules.md', () => {
  const sandbox = quickjsSandbox();
  afterAll(() => sandbox.close());
  const run = async (code: string, inputs: JsonObject) =>
    (await sandbox.run(code, [{ entityId: 'e1', inputs, value: null, meta: {} }]))[0];

  it('has the helpers that there are, in their order', () => {
    expect(ROWS.map(({ signature, description }) => ({ signature, description }))).toEqual(
      SCRIPT_HELPERS.map(({ signature, description }) => ({ signature, description })),
    );
    expect(ROWS.map(({ call }) => call.split('(')[0])).toEqual(
      SCRIPT_HELPERS.map(({ name }) => name),
    );
  });

  it.each(ROWS)('says what $call gives', async ({ call, gives }) => {
    const value: unknown = JSON.parse(gives);
    expect(await run(`return $helpers.${call};`, {})).toMatchObject({ kind: 'ok', value });
  });

  it('has a calculation that gives what the page says', async () => {
    const code = blocksOf(PAGE).find(({ language }) => language === 'js')?.code ?? '';
    const said =
      /For a vase of `(.+?)` that is `(.+?)`; one of `(.+?)` fails with `Error: (.+?) \(line (\d)\)`/.exec(
        readPage(PAGE),
      );
    const [, inputs = '', value, otherInputs = '', message, line] = said ?? [];
    expect(await run(code, JSON.parse(inputs) as JsonObject)).toMatchObject({
      value: Number(value),
      justification: '1249 for 2.3 litres',
      meta: { before: null },
      logs: ['price 1249'],
    });
    expect(await run(code, JSON.parse(otherInputs) as JsonObject)).toMatchObject({
      kind: 'error',
      message,
      line: Number(line),
    });
  });
});
