import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inputHasher } from '../../../src/attribute-pipeline/input-hash.js';
import { canonicalJson, isPlainObject, type JsonObject } from '../../../src/definition/json.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const PIPELINE = {
  version: 3,
  modules: [{ module: 'calculation', settings: { code: 'return 1', more: { b: 1, a: 2 } } }],
};

/** The same JSON with its members in another order, and its numbers written in another way. */
function rewritten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewritten);
  if (!isPlainObject(value))
    return typeof value === 'number' ? Number(value.toExponential()) : value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, rewritten(member)]),
  );
}

const objects = fc
  .dictionary(fc.string({ unit: 'binary' }), fc.jsonValue())
  // What JSON has a member of this name, an object of ours cannot.
  .filter((object) => !JSON.stringify(object).includes('__proto__')) as fc.Arbitrary<JsonObject>;

describe('the hash of what a value is computed from', () => {
  const hash = inputHasher(PIPELINE, sha256);

  it('is SHA-256 over canonical JSON of the sources, the settings of all modules and the version', () => {
    const text =
      '{"modules":[{"module":"calculation","settings":{"code":"return 1","more":{"a":2,"b":1}}}],"pipeline_version":3,"sources":{"name":"Zoë","sizes":{"x":1,"y":[2,3]}}}';
    expect(hash({ sizes: { y: [2, 3], x: 1 }, name: 'Zoë' })).toBe(sha256(text));
  });

  it('is the same however members are ordered and numbers are written', () => {
    fc.assert(
      fc.property(objects, (inputs) => {
        expect(hash(rewritten(inputs) as JsonObject)).toBe(hash(inputs));
      }),
      { numRuns: 300 },
    );
    expect(hash({ n: JSON.parse('1.0') as number })).toBe(hash({ n: JSON.parse('1e0') as number }));
    expect(hash({ n: -0 })).toBe(hash({ n: 0 }));
  });

  it('is another for any other inputs, settings, modules or version', () => {
    fc.assert(
      fc.property(objects, objects, (one, other) => {
        expect(hash(one) === hash(other)).toBe(canonicalJson(one) === canonicalJson(other));
      }),
      { numRuns: 300 },
    );
    const inputs = { name: 'Ann' };
    const [module] = PIPELINE.modules;
    const others = [
      { ...PIPELINE, version: 4 },
      { ...PIPELINE, modules: [{ module: 'other', settings: module!.settings }] },
      { ...PIPELINE, modules: [{ module: 'calculation', settings: { code: 'return 2' } }] },
      { ...PIPELINE, modules: [module!, module!] },
    ].map((pipeline) => inputHasher(pipeline, sha256)(inputs));
    expect(new Set([...others, hash(inputs)]).size).toBe(5);
  });

  it('tells texts apart that only look alike', () => {
    // One and two code points: what a person sees is the same, what a program gets is not.
    expect(hash({ name: '\u00e9' })).not.toBe(hash({ name: 'e\u0301' }));
    expect(hash({ name: '1' })).not.toBe(hash({ name: 1 }));
    expect(hash({ name: null })).not.toBe(hash({}));
  });
});
