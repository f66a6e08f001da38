import fc from 'fast-check';
import { PLANS, STATES, type BoxValues } from './box-store.js';

/** Which of the records that there are, or versions: a number that is taken modulo their count. */
type Pick = number;

/** What a box is created with, or changed to. Its key is given by the model. */
export type BoxInput = Partial<Omit<BoxValues, 'key'>> & Pick_<BoxValues, 'plan'>;
type Pick_<T, K extends keyof T> = { readonly [P in K]: T[P] };

/** One change, as a transaction has several of them. */
export type Change =
  | { readonly kind: 'createBox'; readonly values: BoxInput }
  | { readonly kind: 'createItem'; readonly box: Pick; readonly done: boolean }
  | { readonly kind: 'createTally' }
  | { readonly kind: 'updateBox'; readonly box: Pick; readonly values: Partial<BoxInput> }
  | { readonly kind: 'updateItem'; readonly item: Pick; readonly visits: number }
  | { readonly kind: 'deleteBox'; readonly box: Pick }
  | { readonly kind: 'deleteItem'; readonly item: Pick }
  /** Refused: nothing of it is kept. */
  | { readonly kind: 'invalid'; readonly box: Pick }
  /** Follows links both ways, finds, and asks with conditions. */
  | { readonly kind: 'read'; readonly question: Question }
  | {
      readonly kind: 'nested';
      readonly changes: readonly Change[];
      readonly ending: Ending;
    };

export type Ending = 'well' | 'throws';

/** Which boxes are asked for. */
export interface Question {
  readonly conditions: readonly BoxCondition[];
  readonly order?: { readonly by: 'weight' | 'key'; readonly direction: 'asc' | 'desc' };
  readonly limit?: number;
  readonly offset?: number;
}

export type BoxCondition =
  | { readonly kind: 'state'; readonly value: BoxValues['state'] }
  | { readonly kind: 'plans'; readonly values: readonly BoxValues['plan'][] }
  | { readonly kind: 'heavier'; readonly than: number }
  | { readonly kind: 'note'; readonly value: string | null }
  | { readonly kind: 'otherNote'; readonly value: string | null }
  | { readonly kind: 'larger'; readonly than: bigint }
  | { readonly kind: 'before'; readonly at: Date }
  | { readonly kind: 'sql'; readonly rest: number };

/** One step of a sequence. */
export type Step =
  | Change
  | { readonly kind: 'transaction'; readonly changes: readonly Change[]; readonly ending: Ending }
  /** Another process that has the store open, too. */
  | { readonly kind: 'elsewhere'; readonly change: Change }
  /** Keeps an object of a box, to be used later whatever becomes of the record. */
  | { readonly kind: 'hold'; readonly box: Pick }
  | { readonly kind: 'useHeld'; readonly held: Pick; readonly weight: number }
  | {
      readonly kind: 'drain';
      readonly concurrency: number;
      readonly onError: 'stop' | 'continue';
    }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'restore'; readonly version: Pick }
  /** Closes the store, which is opened again when it is used, or as another process would have it. */
  | { readonly kind: 'reopen'; readonly isFresh: boolean }
  | { readonly kind: 'diff'; readonly before: Pick; readonly after: Pick | undefined };

const at = fc.nat({ max: 1_000 });
const note = fc.option(
  fc.oneof(fc.constantFrom('', "it's", '"x"', 'ÄÖ 🚚', '\0', 'null'), fc.string()),
);
const size = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, 9_007_199_254_740_993n, 2n ** 63n - 1n, -(2n ** 63n)),
);
const date = fc.date({
  min: new Date('1970-01-01'),
  max: new Date('2100-01-01'),
  noInvalidDate: true,
});

const boxInput: fc.Arbitrary<BoxInput> = fc.record(
  {
    plan: fc.constantFrom(...PLANS),
    state: fc.constantFrom(...STATES),
    weight: fc.nat({ max: 6 }),
    note,
    tags: fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 }),
    size,
    at: date,
  },
  { requiredKeys: ['plan'] },
);

const condition: fc.Arbitrary<BoxCondition> = fc.oneof(
  fc.record({ kind: fc.constant('state' as const), value: fc.constantFrom(...STATES) }),
  fc.record({
    kind: fc.constant('plans' as const),
    values: fc.subarray([...PLANS]),
  }),
  fc.record({ kind: fc.constant('heavier' as const), than: fc.nat({ max: 6 }) }),
  fc.record({ kind: fc.constant('note' as const), value: note }),
  fc.record({ kind: fc.constant('otherNote' as const), value: note }),
  fc.record({ kind: fc.constant('larger' as const), than: size }),
  fc.record({ kind: fc.constant('before' as const), at: date }),
  fc.record({ kind: fc.constant('sql' as const), rest: fc.nat({ max: 2 }) }),
);

const question: fc.Arbitrary<Question> = fc.record(
  {
    conditions: fc.array(condition, { maxLength: 2 }),
    order: fc.record({
      by: fc.constantFrom('weight' as const, 'key' as const),
      direction: fc.constantFrom('asc' as const, 'desc' as const),
    }),
    limit: fc.nat({ max: 4 }),
    offset: fc.nat({ max: 3 }),
  },
  { requiredKeys: ['conditions'] },
);

const ending = fc.constantFrom<Ending>('well', 'well', 'throws');

const { change } = fc.letrec<{ change: Change; nested: Change }>((tie) => ({
  nested: fc.record({
    kind: fc.constant('nested' as const),
    changes: fc.array(tie('change'), { maxLength: 4 }),
    ending,
  }),
  change: fc.oneof(
    { depthSize: 'small', maxDepth: 3, withCrossShrink: true },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('createBox' as const), values: boxInput }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('createItem' as const),
        box: at,
        done: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('createTally' as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('updateBox' as const),
        box: at,
        values: boxInput.chain((values) =>
          fc.constantFrom<Partial<BoxInput>>(
            values,
            { state: 'new' },
            { note: values.note ?? null },
          ),
        ),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('updateItem' as const),
        item: at,
        visits: fc.nat({ max: 9 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('deleteBox' as const), box: at }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('deleteItem' as const), item: at }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('invalid' as const), box: at }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), question }) },
    { weight: 1, arbitrary: tie('nested') },
  ),
}));

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: change },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('transaction' as const),
      changes: fc.array(change, { maxLength: 6 }),
      ending,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('elsewhere' as const), change }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('hold' as const), box: at }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('useHeld' as const),
      held: at,
      weight: fc.nat({ max: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('drain' as const),
      concurrency: fc.constantFrom(1, 4),
      onError: fc.constantFrom('continue' as const, 'continue' as const, 'stop' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('snapshot' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const), version: at }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('reopen' as const), isFresh: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('diff' as const),
      before: at,
      after: fc.option(at, { nil: undefined }),
    }),
  },
);

/** A sequence of steps that are done one after the other. */
export const sequences: fc.Arbitrary<readonly Step[]> = fc.array(step, {
  minLength: 1,
  maxLength: 40,
  size: 'max',
});
