import { expect } from '@jest/globals';
import { async, sync } from '../../../../src/record-pipeline/record-pipeline.js';
import type { VersionsOfRuns } from '../../../../src/record-store/store.js';
import { drain } from '../../../activities/record-pipeline/draining.js';
import { boxesIn, type BoxStore } from './box-store.js';
import { boxPipeline, drained, halves, type Expected } from './boxes-drained.js';
import { Changes } from './changes.js';
import {
  asText,
  contentOf,
  differences,
  EMPTY,
  pick,
  put,
  TYPES,
  type Content,
  type TypeName,
} from './content.js';
import type { Change, Step } from './steps.js';

/** A state of the store as it was at one time. */
interface PastState {
  readonly id: string;
  readonly content: Content;
}

type HeldBox = NonNullable<ReturnType<BoxStore['box']['first']>>;

/** Does the same to a store and to a plain content, and compares them. */
export class BoxMachine {
  #store: BoxStore;
  /** As another process has it. */
  readonly #other: BoxStore;
  readonly #changes = new Changes();
  #content: Content = EMPTY;
  #versions: readonly PastState[] = [];
  #held: readonly HeldBox[] = [];
  #steps = 0;
  /** Versions whose content was compared already. */
  #compared = 0;

  constructor(
    private readonly dir: string,
    private readonly duringRuns: VersionsOfRuns,
  ) {
    this.#store = boxesIn(dir, duringRuns);
    this.#other = boxesIn(dir, duringRuns);
  }

  close(): void {
    this.#store.close();
    this.#other.close();
  }

  /** Does a step, and looks at everything afterwards; at versions that were looked at before in turn. */
  async do(step: Step): Promise<void> {
    await this.#do(step);
    expect(contentOf(this.#store)).toEqual(this.#content);
    expect(contentOf(this.#other)).toEqual(this.#content);
    const { versions } = this.#store;
    expect(versions.map(({ info }) => info.id)).toEqual(this.#versions.map(({ id }) => id));
    this.#steps += 1;
    for (const [at, version] of versions.entries())
      if (at >= this.#compared || at === this.#steps % versions.length) this.#compare(version, at);
    this.#compared = versions.length;
  }

  /** Looks at every version once more, and closes the store. */
  end(): void {
    for (const [at, version] of this.#store.versions.entries()) this.#compare(version, at);
    this.close();
  }

  async #do(step: Step): Promise<void> {
    switch (step.kind) {
      case 'transaction':
        await this.#change(this.#store, { ...step, kind: 'nested' });
        return;
      case 'elsewhere':
        await this.#change(this.#other, step.change);
        return;
      case 'hold':
        this.#hold(step.box);
        return;
      case 'useHeld':
        this.#useHeld(step);
        return;
      case 'drain':
        await this.#drain(step);
        return;
      case 'snapshot': {
        const { info } = await this.#store.snapshot();
        expect(info.reason).toBe('asked');
        this.#past(info.id, this.#content);
        return;
      }
      case 'restore':
        await this.#restore(step.version);
        return;
      case 'reopen':
        this.#store.close();
        if (!step.isFresh) return;
        this.#held = [];
        this.#store = boxesIn(this.dir, this.duringRuns);
        return;
      case 'diff':
        this.#diff(step);
        return;
      default:
        await this.#change(this.#store, step);
    }
  }

  async #change(store: BoxStore, change: Change): Promise<void> {
    this.#content = await this.#changes.make(store, this.#content, change);
    // What is within nothing is an outermost transaction, which makes a version.
    if (change.kind === 'nested' && change.ending === 'well') this.#newest();
  }

  #past(id: string, content: Content): void {
    this.#versions = [...this.#versions, { id, content }];
  }

  /** The version that has just come, of what there is now. */
  #newest(): void {
    this.#past(this.#store.versions.at(-1)?.info.id ?? '', this.#content);
  }

  #compare(version: BoxStore['versions'][number], at: number): void {
    const past = this.#versions[at];
    if (past === undefined) throw new Error('a version that nobody made');
    const { content } = past;
    expect(contentOf(version)).toEqual(content);
    const counts = Object.fromEntries(TYPES.map((type) => [type, content[type].size]));
    expect(version.info.counts).toEqual(counts);
  }

  #hold(box: number): void {
    const id = pick([...this.#content.box.keys()], box);
    if (id !== undefined) this.#held = [...this.#held, this.#store.box.find(id)];
  }

  /** An object goes on as long as the record is what it shows. */
  #useHeld({ held, weight }: Step & { readonly kind: 'useHeld' }): void {
    const box = this.#held[held % Math.max(1, this.#held.length)];
    if (box === undefined) return;
    const { id, ...shown } = box.toJSON();
    const now = this.#content.box.get(id);
    if (now !== undefined && asText(now) === asText(shown)) {
      box.update({ weight });
      this.#content = put(this.#content, 'box', id, { ...now, weight });
    } else if (shown.weight !== weight)
      expect(() => box.update({ weight })).toThrow(/was changed or deleted by somebody else/);
    expect(box.toJSON()).toEqual({ id, ...shown, ...(now && { ...shown, weight: box.weight }) });
  }

  async #drain({ concurrency, onError }: Step & { readonly kind: 'drain' }): Promise<void> {
    const before = this.#content;
    const known = this.#versions.length;
    const processor = concurrency === 1 ? sync() : async({ concurrency, enqueueSeconds: 0.01 });
    const { counts, failures, done } = await drain(boxPipeline(this.#store, processor, onError));
    const after = contentOf(this.#store);
    expect(done).toBe(true);
    expect(halves(before, after)).toEqual([]);
    this.#changes.know(after);
    this.#content = after;
    const expected = drained(before);
    if (onError === 'continue' || expected.failed.size === 0) {
      expect({ counts, failed: new Map(failures.map((one) => [one.recordId, one.name])) }).toEqual({
        counts: { completed: expected.completed, failed: expected.failed.size },
        failed: expected.failed,
      });
      expectDrained(before, after, expected);
    } else {
      expect(counts.failed).toBeGreaterThanOrEqual(1);
      // Those in progress end; what is left among those of the step is found when its group is written.
      const thrown = failures.filter(({ name }) => name === 'Error');
      expect(thrown.length).toBeLessThanOrEqual(concurrency);
    }
    for (const version of this.#store.versions.slice(known)) {
      const content = contentOf(version);
      expect(halves(before, content)).toEqual([]);
      this.#past(version.info.id, content);
    }
  }

  async #restore(at: number): Promise<void> {
    const version = this.#versions[at % Math.max(1, this.#versions.length)];
    if (version === undefined) {
      await expect(this.#store.restore('2000-01-01')).rejects.toThrow(/has no version/);
      return;
    }
    const replaced = await this.#store.restore(version.id);
    expect(replaced.info.reason).toBe('before_restore');
    this.#past(replaced.info.id, this.#content);
    this.#content = version.content;
  }

  #diff({ before, after }: Step & { readonly kind: 'diff' }): void {
    const count = Math.max(1, this.#versions.length);
    const older = this.#versions[before % count];
    const newer = after === undefined ? undefined : this.#versions[after % count];
    if (older === undefined) return;
    const diff = this.#store.diff(older.id, newer?.id, { limit: 10_000 });
    const expected = differences(older.content, newer?.content ?? this.#content);
    for (const type of TYPES) {
      const { added, removed, changed } = expected[type];
      expect(diff[type]).toMatchObject({
        added: added.length,
        removed: removed.length,
        changed: changed.length,
      });
      expect(diff[type]?.changes.map(({ id }) => id)).toEqual(
        [...added, ...removed, ...changed].sort((a, b) => a - b),
      );
      for (const { id, before: was, after: is } of diff[type]?.changes ?? []) {
        expect(was).toEqual(older.content[type].get(id));
        expect(is).toEqual((newer?.content ?? this.#content)[type].get(id));
      }
    }
  }
}

/** Records that were there by their ids, and those that came by what they hold. */
function expectDrained(before: Content, after: Content, { content, created }: Expected): void {
  for (const type of TYPES) {
    const values = [...(content[type] as ReadonlyMap<number, object>)];
    for (const [id, value] of values) expect([id, after[type].get(id)]).toEqual([id, value]);
    const news = idsOf(after, type).filter((id) => !before[type].has(id));
    const expected = type === 'tally' ? [] : created[type];
    expect(news.map((id) => asText(after[type].get(id))).sort()).toEqual(
      expected.map((one) => asText(one)).sort(),
    );
    const kept = idsOf(after, type).filter((id) => before[type].has(id));
    expect(kept).toEqual(idsOf(content, type));
  }
}

function idsOf(content: Content, type: TypeName): readonly number[] {
  return [...content[type].keys()].sort((a, b) => a - b);
}
