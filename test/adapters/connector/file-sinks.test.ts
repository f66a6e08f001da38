import { afterEach, describe, expect, it } from '@jest/globals';
import { appendFile, mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { csvSink } from '../../../adapters/connector/file/csv-sink.js';
import { ndjsonSink } from '../../../adapters/connector/file/ndjson-sink.js';
import type { OpenSink, SinkConnector } from '../../../src/data-flow/sink.js';
import type { Json } from '../../../src/definition/json.js';
import { sinkChecks } from '../../../testing/sink-conformance.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { batch, opened } from './writing.js';

const folder = useTemporaryDirectory();
const PATH = 'out/of/here/rows';
const open: OpenSink[] = [];

afterEach(async () => {
  for (const sink of open.splice(0)) await sink.close?.();
});

async function sink(connector: SinkConnector, options: object = {}, state: Json = null) {
  const one = await opened(connector, { path: PATH, ...options }, { dir: folder.path, state });
  open.push(one);
  return one;
}

function content(path = PATH): Promise<string> {
  return readFile(join(folder.path, path), 'utf8');
}

async function existing(text: string, path = PATH): Promise<void> {
  await mkdir(dirname(join(folder.path, path)), { recursive: true });
  await writeFile(join(folder.path, path), text);
}

/** More than a test writes; CSV of one column, and NDJSON. */
const LONGER = '7\n'.repeat(2_000);

const row = (number: number) => ({ id: number, text: `a "quoted", 東京\n${number}` });

describe.each([
  ['csv', csvSink as SinkConnector, (text: string) => parse(text, { columns: true })],
  [
    'ndjson',
    ndjsonSink as SinkConnector,
    (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
  ],
])('the %s sink', (name, connector, read) => {
  const checks = sinkChecks({
    sink: connector,
    setUp: async () => {
      await existing(LONGER, 'longer');
      return {
        options: { path: PATH },
        dir: folder.path,
        content: async () => read(await content()),
        other: { options: { path: 'longer' }, content: async () => read(await content('longer')) },
      };
    },
    row,
    arrives: (given) => (name === 'csv' ? { id: String(given['id']), text: given['text'] } : given),
    once: true,
  });
  it.each(checks.map((check) => [check.name, check.run] as const))('%s', (_check, run) => run());

  it('tells the length of the file, and cuts off what is behind it with the first batch after it', async () => {
    const first = await sink(connector);
    const { written, state } = await first.write(batch([row(1), row(2)]));
    expect(written).toEqual({ new: 0, updated: 0, redundant: 0, unpredictable: 2 });
    const before = await content();
    expect(state).toMatchObject({ bytes: Buffer.byteLength(before) });
    await first.write(batch([row(3)], 1));
    await appendFile(join(folder.path, PATH), 'half a li');
    const left = await content();
    const again = await sink(connector, {}, state);
    expect(await content()).toBe(left);
    await again.write(batch([row(3)], 1));
    expect(await content()).toContain(before);
    expect(read(await content())).toHaveLength(3);
  });

  it('makes one file a day, and leaves the others alone', async () => {
    await existing(LONGER, 'day-2');
    await existing(LONGER, 'day-3');
    let state: Json = null;
    for (const path of ['day-1', 'day-2', 'day-2', 'day-4']) {
      const one = await sink(connector, { path }, state);
      state = (await one.write(batch([row(1)]))).state!;
    }
    expect(state).toMatchObject({ path: 'day-4' });
    expect(read(await content('day-1'))).toHaveLength(1);
    expect(read(await content('day-2'))).toHaveLength(2);
    expect(read(await content('day-4'))).toHaveLength(1);
    await sink(connector, { path: 'day-3' }, state);
    await sink(connector, { path: 'day-5' }, state);
    expect(await content('day-3')).toBe(LONGER);
    await expect(content('day-5')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('goes on in the same file whether its path is relative or absolute', async () => {
    const one = await sink(connector);
    const { state } = await one.write(batch([row(1)]));
    const again = await sink(connector, { path: join(folder.path, PATH) }, state);
    await again.write(batch([row(2)], 1));
    expect(read(await content())).toHaveLength(2);
  });

  it('appends to another file from what it had when the flow came to it', async () => {
    const one = await sink(connector, { path: 'day-1' });
    const { state } = await one.write(batch([row(1)]));
    await (await sink(connector, { path: 'day-2' })).write(batch([row(2)]));
    const two = await sink(connector, { path: 'day-2', append: true }, state);
    const before = Buffer.byteLength(await content('day-2'));
    expect(two.state).toEqual({ path: 'day-2', bytes: before });
    await two.write(batch([row(3)]));
    expect(read(await content('day-2'))).toHaveLength(2);
  });

  it('begins the file anew without a state', async () => {
    await existing('something else\n');
    const one = await sink(connector);
    await one.write(batch([row(1)]));
    expect(read(await content())).toHaveLength(1);
  });

  it('refuses a file that is shorter than what was written: a permanent error that names it', async () => {
    const one = await sink(connector);
    const { state } = await one.write(batch([row(1)]));
    await truncate(join(folder.path, PATH), 3);
    await expect(sink(connector, {}, state)).rejects.toMatchObject({
      type: 'FileTruncated',
      message: expect.stringContaining(join(folder.path, PATH)),
    });
  });

  it('is in one piece when two attempts write the same batch at the same time', async () => {
    const first = await sink(connector);
    const { state } = await first.write(batch([row(1)]));
    const second = await sink(connector, {}, state);
    await Promise.all([first.write(batch([row(2)], 1)), second.write(batch([row(2)], 1))]);
    expect(read(await content())).toHaveLength(2);
  });
});

describe('the csv sink', () => {
  it('writes values as text, by the columns of the first row', async () => {
    const one = await sink(csvSink);
    await one.write(
      batch([
        { a: 1.5, b: true, c: new Date(0), d: { x: [1] }, e: null },
        { a: 2n, b: undefined, f: 'left out' },
      ]),
    );
    expect(await content()).toBe(
      'a,b,c,d,e\n1.5,true,1970-01-01T00:00:00.000Z,"{""x"":[1]}",\n2,,,,\n',
    );
  });

  it('keeps the columns of the first row over batches and openings', async () => {
    const one = await sink(csvSink);
    const { state } = await one.write(batch([{ a: 1, b: 2 }]));
    const again = await sink(csvSink, {}, state);
    await again.write(batch([{ c: 5, b: 4, a: 3 }], 1));
    expect(await content()).toBe('a,b\n1,2\n3,4\n');
  });

  it('writes the columns that it is told, with another delimiter and without a header', async () => {
    const options = { columns: ['b', 'a'], delimiter: ';', header: false };
    const one = await sink(csvSink, options);
    await one.write(batch([{ a: 1, b: 'x;y' }]));
    expect(await content()).toBe('"x;y";1\n');
  });

  it('appends in the order of the columns that the file has', async () => {
    await existing('\uFEFFb,a\n2,1');
    const one = await sink(csvSink, { append: true });
    await one.write(batch([{ a: 3, b: 4 }]));
    expect(await content()).toBe('\uFEFFb,a\n2,1\n4,3\n');
  });
});

describe('the ndjson sink', () => {
  it('appends to what the file has', async () => {
    await existing('{"a":1}');
    const one = await sink(ndjsonSink, { append: true });
    await one.write(batch([{ a: 2, big: 2n ** 60n, at: new Date(0) }]));
    expect(await content()).toBe(
      '{"a":1}\n{"a":2,"big":"1152921504606846976","at":"1970-01-01T00:00:00.000Z"}\n',
    );
  });
});
