import assert from 'node:assert/strict';
import type { Row } from '../src/data-flow/row.js';
import type {
  ConnectorContext,
  SourceBatch,
  SourceConnector,
  SourceContext,
} from '../src/data-flow/source.js';
import { isPlainObject, type Json, type JsonObject } from '../src/definition/json.js';
import type { Log, Services } from '../src/pipeline/context.js';

/** What is there for a connector in one check. */
export interface ConnectorSurroundings {
  /** The project's folder; the working directory unless given. */
  readonly dir?: string;
  readonly services?: Partial<Services>;
  /** For connectors that read or write entities. */
  readonly entities?: ConnectorContext['entities'];
}

/** What a source reads in one check. */
export interface SourceUnderCheck extends ConnectorSurroundings {
  /** As a flow would write them. */
  readonly options: JsonObject;
  /** All rows that it has to give, in their order: at least 8 of them. */
  readonly rows: readonly Row[];
  /**
   * What a flow finds that has read all of it and runs again: nothing, or all rows once more, as with an API that cannot tell
   * whether it has changed. Nothing unless given.
   */
  readonly again?: 'nothing' | 'all';
  /** Changes what is read, and tells the rows that a flow finds then which has read all there was before. */
  readonly change?: () => Promise<readonly Row[]> | readonly Row[];
  /** Takes down what was set up. */
  readonly tearDown?: () => Promise<void> | void;
}

/** What {@link sourceChecks} takes. */
export interface SourceCheckOptions {
  readonly source: SourceConnector;
  /** Called by each check: nothing may be left of the one before. */
  readonly setUp: () => Promise<SourceUnderCheck> | SourceUnderCheck;
}

/** A check of a connector. Its `run` rejects with an AssertionError of `node:assert`. */
export interface ConnectorCheck {
  /** A sentence about what the connector does. */
  readonly name: string;
  readonly run: () => Promise<void>;
}

const BATCH_SIZES: readonly number[] = [1, 7, 200];

/** Most cursors of one reading that are gone on from. */
const MAX_CURSORS = 24;

/** Longest wait for an iterator that is being closed or was aborted. */
const PATIENCE_MS = 10_000;

/**
 * What every source has to do so that a flow loses no rows and repeats none: batches within their size, cursors to go on from,
 * an end, and nothing held after it. Independent of a test framework.
 *
 * @example
 * ```ts
 * for (const check of sourceChecks({ source: mySource, setUp })) test(check.name, check.run);
 * ```
 */
export function sourceChecks(options: SourceCheckOptions): readonly ConnectorCheck[] {
  const check = (
    name: string,
    body: (reader: Reader, under: SourceUnderCheck) => Promise<void>,
  ): ConnectorCheck => ({
    name,
    run: async () => {
      const under = await options.setUp();
      try {
        assert.ok(under.rows.length >= 8, 'The checks need a source of at least 8 rows.');
        await body(new Reader(options.source, under), under);
      } finally {
        await under.tearDown?.();
      }
    },
  });
  return [
    ...BATCH_SIZES.flatMap((batchSize) => checksOfSize(check, batchSize)),
    check('closing early releases what the source holds', closesEarly),
    check('an aborted signal ends the reading', endsWhenAborted),
  ];
}

type Check = (
  name: string,
  body: (reader: Reader, under: SourceUnderCheck) => Promise<void>,
) => ConnectorCheck;

function checksOfSize(check: Check, batchSize: number): readonly ConnectorCheck[] {
  const size = `batches of ${String(batchSize)}`;
  return [
    check(`${size}: gives all rows in order, none twice`, async (reader, { rows }) => {
      const batches = await reader.all(undefined, batchSize);
      for (const batch of batches) {
        const size = sizeOf(batch);
        assert.ok(
          size <= batchSize,
          `A batch has ${String(size)} rows, asked for were at most ${String(batchSize)}.`,
        );
        assertFraction(batch.fraction);
      }
      assert.deepEqual(rowsOf(batches), rows);
    }),
    check(
      `${size}: each batch with rows has another cursor, which JSON can carry`,
      async (reader) => {
        let before: Json | undefined;
        for (const batch of await reader.all(undefined, batchSize)) {
          const { cursor } = batch;
          assert.deepEqual(jsonCopy(cursor), cursor, 'JSON changes the cursor.');
          if (sizeOf(batch) > 0)
            assert.notDeepEqual(cursor, before, 'The cursor is the one of the batch before.');
          before = cursor;
        }
      },
    ),
    check(`${size}: each cursor gives exactly the rest`, async (reader, { rows, again }) => {
      const batches = await reader.all(undefined, batchSize);
      for (const index of spread(batches.length)) {
        const given = rowsOf(batches.slice(0, index + 1)).length;
        const cursor = jsonCopy(batches[index]?.cursor ?? null);
        assert.deepEqual(
          rowsOf(await reader.all(cursor, batchSize)),
          given === rows.length && again === 'all' ? rows : rows.slice(given),
          `After ${String(given)} rows the cursor ${JSON.stringify(cursor)} does not give the rest.`,
        );
      }
    }),
    check(
      `${size}: closed after each batch and gone on with, it gives all`,
      async (reader, { rows, again }) => {
        const given: Row[] = [];
        let cursor: Json | undefined;
        for (;;) {
          const batch = await reader.first(cursor, batchSize);
          if (batch === undefined) break;
          given.push(...rowsOf([batch]));
          if (again === 'all' && given.length === rows.length) break;
          assert.ok(given.length <= rows.length, 'It gives more rows than it has.');
          assert.notDeepEqual(batch.cursor, cursor, 'It gives a batch without moving its cursor.');
          cursor = jsonCopy(batch.cursor);
        }
        assert.deepEqual(given, rows);
      },
    ),
    check(
      `${size}: read to its end and again it gives nothing, or all with other cursors`,
      (reader, under) => readsAgain(reader, under, batchSize),
    ),
  ];
}

/** As runs do that follow each other: each begins where the one before has ended. */
async function readsAgain(
  reader: Reader,
  { rows, again, change }: SourceUnderCheck,
  batchSize: number,
): Promise<void> {
  let cursor: Json | undefined;
  const run = async (expected: readonly Row[]): Promise<void> => {
    const batches = await reader.all(cursor, batchSize);
    for (const batch of batches) {
      if (sizeOf(batch) > 0)
        assert.notDeepEqual(
          batch.cursor,
          cursor,
          'It gives rows and the cursor that it had before them.',
        );
      cursor = jsonCopy(batch.cursor);
    }
    assert.deepEqual(rowsOf(batches), expected);
  };
  await run(rows);
  assert.ok(cursor !== undefined, 'The source gives no batch.');
  for (let more = 0; more < 2; more += 1) await run(again === 'all' ? rows : []);
  if (change === undefined) return;
  const changed = await change();
  await run(changed);
  await run(again === 'all' ? changed : []);
}

async function closesEarly(reader: Reader, { rows }: SourceUnderCheck): Promise<void> {
  const iterator = reader.open(undefined, 1)[Symbol.asyncIterator]();
  await iterator.next();
  if (iterator.return !== undefined)
    await inTime(iterator.return(), 'Closing the iterator does not end.');
  assert.equal((await iterator.next()).done, true, 'A closed iterator goes on.');
  assert.deepEqual(rowsOf(await reader.all(undefined, 200)), rows, 'It cannot be read again.');
}

async function endsWhenAborted(reader: Reader, { rows }: SourceUnderCheck): Promise<void> {
  const controller = new AbortController();
  let given = 0;
  const reading = (async () => {
    for await (const batch of reader.open(undefined, 1, controller.signal)) {
      given += batch.rows.length;
      controller.abort();
    }
  })();
  // Ending and rejecting are both right.
  await inTime(
    reading.catch(() => undefined),
    'Reading does not end.',
  );
  assert.ok(given < rows.length, 'All rows were given though the signal was aborted at the first.');
}

/** Opens the source as a flow does. */
class Reader {
  readonly #source: SourceConnector;
  readonly #under: SourceUnderCheck;
  readonly #options: JsonObject;

  constructor(source: SourceConnector, under: SourceUnderCheck) {
    this.#source = source;
    this.#under = under;
    // Checked and with defaults, as the loader does.
    this.#options = source.options.parse(under.options) as JsonObject;
  }

  open(
    cursor: Json | undefined,
    batchSize: number,
    signal: AbortSignal = new AbortController().signal,
  ): AsyncIterable<SourceBatch> {
    const context: SourceContext = {
      ...connectorContext(this.#options, this.#under),
      signal,
      cursor,
      batchSize,
    };
    // The connector's options are erased; its own schema has just made them.
    return this.#source.read(context as SourceContext<never>);
  }

  /** The first batch after a cursor; the iterator is closed then. */
  async first(cursor: Json | undefined, batchSize: number): Promise<SourceBatch | undefined> {
    for await (const batch of this.open(cursor, batchSize)) return batch;
    return undefined;
  }

  async all(cursor: Json | undefined, batchSize: number): Promise<readonly SourceBatch[]> {
    const batches: SourceBatch[] = [];
    for await (const batch of this.open(cursor, batchSize)) batches.push(batch);
    return batches;
  }
}

/** What sources and sinks get in a check, beside what is only for one of them. */
export function connectorContext(
  options: JsonObject,
  { dir, services, entities = noEntities }: ConnectorSurroundings,
): ConnectorContext {
  return {
    options,
    dir: dir ?? process.cwd(),
    signal: new AbortController().signal,
    log: SILENT,
    run: { id: 'flow/conformance/1', name: 'conformance', kind: 'flow' },
    // A check gives those that its connector uses.
    services: { ...services },
    entities,
  };
}

function noEntities(): Promise<never> {
  return Promise.reject(
    new Error('The check has no entities: give those that its connector uses.'),
  );
}

const ignore = (): void => undefined;
const SILENT: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** All places of a list, or of a long one those at its beginning, at its end and some between: each is read to the end. */
function spread(length: number): readonly number[] {
  const all = Array.from({ length }, (_, index) => index);
  const edge = MAX_CURSORS / 3;
  const every = Math.ceil(length / edge);
  return length <= MAX_CURSORS
    ? all
    : all.filter((index) => index < edge || index >= length - edge || index % every === 0);
}

/** With what could not be read. Where that is told, the flow relies on its place. */
function sizeOf({ rows, rejected = [] }: SourceBatch): number {
  const size = rows.length + rejected.length;
  const places = new Set(rejected.map(({ at }) => at));
  const within = [...places].every((at) => Number.isInteger(at) && at >= 0 && at < size);
  const isTold = places.size === rejected.length && within;
  assert.ok(isTold, 'Places of rejected rows are not all different, and within the batch.');
  return size;
}

function rowsOf(batches: readonly SourceBatch[]): readonly Row[] {
  return batches.flatMap(({ rows }) => rows.map((row) => ownCopy(row) as Row));
}

/** Objects of a native driver may be of another realm in a test framework, and would count as different for that alone. */
function ownCopy(value: unknown): unknown {
  if (Array.isArray(value)) return Array.from(value, ownCopy);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, ownCopy(member)]));
}

function jsonCopy(value: Json): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

function assertFraction(fraction: number | undefined): void {
  if (fraction === undefined) return;
  assert.ok(
    fraction >= 0 && fraction <= 1,
    `The fraction ${String(fraction)} is not within 0 to 1.`,
  );
}

async function inTime<T>(promise: Promise<T>, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new assert.AssertionError({ message }));
    }, PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
