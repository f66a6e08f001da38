import type { Processor } from '../../../../src/record-pipeline/record-pipeline.js';
import {
  defineRecordPipeline,
  step,
  type RecordPipeline,
} from '../../../../src/record-pipeline/record-pipeline.js';
import type { BoxStore, BoxValues, ItemValues, Plan } from './box-store.js';
import { asText, put, sorted, type Content } from './content.js';

/** A record that its bodies leave among those of its step is given up after so many. */
export const MAX_PASSES = 3;

/** Works on boxes as their plans say, and on the items that come of it, which make boxes again. */
export function boxPipeline(
  store: BoxStore,
  processor: Processor,
  onError: 'stop' | 'continue',
): RecordPipeline<BoxStore> {
  return defineRecordPipeline(store, {
    name: 'boxes',
    processor,
    onError,
    maxErrors: 10_000,
    steps: [
      step({
        label: 'boxes',
        maxPasses: MAX_PASSES,
        records: (s) => s.box.where({ state: 'new' }),
        each: async ({ record: box, store: s }) => {
          const { plan, key, weight } = box;
          // Bodies that wait come to their ends in another order than that of their beginnings.
          if (box.id % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
          if (plan === 'vanish') box.delete();
          if (plan === 'linger') box.update({ weight: weight + 1 });
          if (plan === 'stuck') box.update({ weight: weight + 10 });
          if (plan === 'spawn')
            for (const n of [1, 2]) s.item.create({ key: `${key}/${String(n)}`, box_id: box.id });
          if (plan === 'tally') {
            const tally = s.tally.first();
            await new Promise((resolve) => setImmediate(resolve));
            tally?.update({ total: tally.total + 1 });
          }
          if (plan === 'fail') {
            box.update({ weight: 99, state: 'done' });
            s.item.create({ key: 'never', box_id: box.id });
            throw new Error(`no ${key}`);
          }
          if (isFinished(plan, weight)) box.update({ state: 'done' });
        },
      }),
      step({
        label: 'items',
        records: (s) => s.item.where({ done: false }),
        each: ({ record: item, store: s }) => {
          item.update({ done: true, visits: item.visits + 1 });
          if (makesBox(item)) s.box.create({ key: `${item.key}+`, plan: 'finish' });
        },
      }),
    ],
  });
}

function isFinished(plan: Plan, weight: number): boolean {
  return plan === 'linger' ? weight % 2 === 1 : plan !== 'vanish' && plan !== 'stuck';
}

function makesBox({ key }: Pick<ItemValues, 'key'>): boolean {
  return key.endsWith('/2');
}

/** What draining comes to, whatever the order in which bodies end. */
export interface Expected {
  /** Records that were there before. */
  readonly content: Content;
  /** Those that were created, whose ids nobody knows before. */
  readonly created: { readonly box: readonly BoxValues[]; readonly item: readonly ItemValues[] };
  readonly completed: number;
  /** Ids of boxes, with the names of their errors. */
  readonly failed: ReadonlyMap<number, string>;
}

/** Drains a plain content. */
export function drained(before: Content): Expected {
  let content = before;
  let completed = 0;
  const failed = new Map<number, string>();
  const created: { box: BoxValues[]; item: ItemValues[] } = { box: [], item: [] };
  const work = (item: ItemValues): ItemValues => {
    completed += 1;
    if (makesBox(item)) {
      completed += 1;
      created.box.push(newBox(`${item.key}+`));
    }
    return { ...item, done: true, visits: item.visits + 1 };
  };
  for (const [id, box] of sorted(before.box)) {
    if (box.state !== 'new') continue;
    if (box.plan === 'fail') {
      failed.set(id, 'Error');
      continue;
    }
    const { passes, after } = worked(box);
    completed += passes;
    content = put(content, 'box', id, after);
    if (box.plan === 'stuck') failed.set(id, 'TooManyPasses');
    if (box.plan === 'tally') content = tallied(content);
    if (box.plan === 'spawn')
      for (const n of [1, 2])
        created.item.push(
          work({ key: `${box.key}/${String(n)}`, box_id: id, done: false, visits: 0 }),
        );
  }
  for (const [id, item] of before.item)
    if (!item.done) content = put(content, 'item', id, work(item));
  return { content, created, completed, failed };
}

/** A box after its bodies, and how many there were; undefined for one that was deleted. */
function worked(box: BoxValues): {
  readonly passes: number;
  readonly after: BoxValues | undefined;
} {
  const { plan, weight } = box;
  if (plan === 'vanish') return { passes: 1, after: undefined };
  if (plan === 'stuck')
    return { passes: MAX_PASSES, after: { ...box, weight: weight + 10 * MAX_PASSES } };
  if (plan !== 'linger') return { passes: 1, after: { ...box, state: 'done' } };
  const passes = weight % 2 === 1 ? 1 : 2;
  return { passes, after: { ...box, weight: weight + passes, state: 'done' } };
}

/** The first tally counts one more. */
function tallied(content: Content): Content {
  const [first] = sorted(content.tally);
  if (first === undefined) return content;
  const [id, { total }] = first;
  return put(content, 'tally', id, { total: total + 1 });
}

function newBox(key: string): BoxValues {
  return {
    key,
    plan: 'finish',
    state: 'done',
    weight: 0,
    note: null,
    tags: [],
    size: 0n,
    at: undefined,
  };
}

/**
 * What is not whole in a state that lies between two others: every record is as it was before, after it, or between two bodies.
 *
 * @returns a sentence for each
 */
export function halves(before: Content, state: Content): readonly string[] {
  const itemsOf = (content: Content, box: number): number =>
    [...content.item.values()].filter(({ box_id }) => box_id === box).length;
  const doneItems = (content: Content): number =>
    [...content.item.values()].filter((item) => item.done && makesBox(item)).length;
  const done = doneItems(state) - doneItems(before);
  const made = [...state.box].filter(
    ([id, { key }]) => key.endsWith('+') && !before.box.has(id),
  ).length;
  const uneven = done === made ? [] : [`${String(done)} items done made ${String(made)} boxes`];
  const ofBoxes = sorted(before.box).flatMap(([id, box]) => {
    const now = state.box.get(id);
    if (box.state !== 'new' || box.plan === 'fail')
      return asText(now) === asText(box) ? [] : [`box ${String(id)} was changed`];
    const wrong: string[] = [];
    if (!betweens(box).some((possible) => asText(possible) === asText(now)))
      wrong.push(`box ${String(id)} is ${asText(now)}`);
    const spawned = box.plan === 'spawn' && now?.state === 'done' ? 2 : 0;
    const items = itemsOf(state, id) - itemsOf(before, id);
    if (items !== spawned) wrong.push(`box ${String(id)} has ${String(items)} items more`);
    return wrong;
  });
  return [...uneven, ...ofBoxes];
}

function betweens(box: BoxValues): readonly (BoxValues | undefined)[] {
  const { passes, after } = worked(box);
  const by = box.plan === 'stuck' ? 10 : 1;
  const lasting = Array.from({ length: passes }, (_, at) => ({
    ...box,
    weight: box.weight + at * by,
  }));
  return [...lasting, after];
}
