import { references } from '../../src/config/references.js';
import { isPlainObject, type Json, type JsonObject } from '../../src/definition/json.js';

/** Shorter texts are no secrets that anybody would keep, and would be found everywhere. */
const MIN_LENGTH = 4;

/**
 * What the references in the options of connectors stand for. Whatever is recorded of a run, its cursor and its errors, has the
 * references in the place of their values.
 */
export class Secrets {
  /** Values, and what is written for them. Longer values first: one may be part of another. */
  #known: readonly (readonly [value: string, written: string])[] = [];

  constructor(private readonly resolve: <T>(value: T) => Promise<T>) {}

  /** Options with what their references stand for. */
  async reveal(options: JsonObject): Promise<JsonObject> {
    for (const { kind, name } of references(options)) {
      const reference = kind === 'env' ? `\${${name}}` : `secret://${name}`;
      this.#learn(await this.resolve(reference), `⟦${reference}⟧`);
    }
    return this.resolve(options);
  }

  /** A text without secrets. */
  hide(text: string): string {
    return this.#known.reduce((rest, [value, written]) => rest.replaceAll(value, written), text);
  }

  /** A cursor without secrets, such as the key in the address of a next page. */
  hideIn(cursor: Json): Json {
    return this.#known.length === 0 ? cursor : mapTexts(cursor, (text) => this.hide(text));
  }

  /** The cursor that {@link hideIn} was given. */
  revealIn(cursor: Json): Json {
    return mapTexts(cursor, (text) =>
      this.#known.reduce((rest, [value, written]) => rest.replaceAll(written, value), text),
    );
  }

  #learn(value: string, written: string): void {
    if (value.length < MIN_LENGTH || this.#known.some(([known]) => known === value)) return;
    const encoded = encodeURIComponent(value);
    const forms: readonly (readonly [string, string])[] = [
      [value, written],
      // As it stands in an address.
      ...(encoded === value ? [] : [[encoded, `${written}%`] as const]),
    ];
    this.#known = [...this.#known, ...forms].sort(([a], [b]) => b.length - a.length);
  }
}

function mapTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item: Json) => mapTexts(item, change));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, mapTexts(item, change)]),
  );
}
