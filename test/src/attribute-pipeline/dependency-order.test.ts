import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  dependantsOf,
  DependencyCycle,
  dependencyLevels,
  type Dependant,
} from '../../../src/attribute-pipeline/dependency-order.js';

function pipeline(output: string, ...inputs: string[]): Dependant {
  return { id: `p-${output}`, output, inputs };
}

function outputs(levels: readonly (readonly Dependant[])[]): readonly (readonly string[])[] {
  return levels.map((level) => level.map(({ output }) => output));
}

describe('the order of pipelines', () => {
  it('has each run after those that compute what it reads', () => {
    const levels = dependencyLevels([
      pipeline('summary', 'score', 'name'),
      pipeline('score', 'size', 'age'),
      pipeline('size', 'width'),
      pipeline('age', 'born'),
    ]);
    expect(outputs(levels)).toEqual([['age', 'size'], ['score'], ['summary']]);
  });

  it('is refused where they wait for each other, and says who for whom', () => {
    const circular = [
      pipeline('a', 'c', 'x'),
      pipeline('b', 'a'),
      pipeline('c', 'b'),
      pipeline('d', 'a'),
    ];
    expect(() => dependencyLevels(circular)).toThrow(DependencyCycle);
    expect(() => dependencyLevels(circular)).toThrow(/a → b → c → a/);
    expect(() => dependencyLevels([pipeline('a', 'a')])).toThrow(/a → a/);
  });

  it('names what is computed from an attribute, directly or not', () => {
    const all = [
      pipeline('summary', 'score', 'name'),
      pipeline('score', 'size'),
      pipeline('size', 'width'),
      pipeline('age', 'born'),
    ];
    expect(outputs(dependantsOf(['width'], all))).toEqual([['size'], ['score'], ['summary']]);
    expect(outputs(dependantsOf(['name', 'born'], all))).toEqual([['age'], ['summary']]);
    expect(dependantsOf(['colour'], all)).toEqual([]);
  });

  /** Pipelines whose inputs are any attributes at all, so that many have cycles. */
  const graphs = fc
    .uniqueArray(fc.integer({ min: 0, max: 11 }), { maxLength: 12 })
    .chain((computed) =>
      fc.tuple(
        ...computed.map((output) =>
          fc
            .array(fc.integer({ min: 0, max: 15 }), { maxLength: 3 })
            .map((inputs) => pipeline(String(output), ...inputs.map(String))),
        ),
      ),
    );

  it('is an order, or a cycle that is there, of any pipelines', () => {
    fc.assert(
      fc.property(graphs, (pipelines) => {
        let levels: readonly (readonly Dependant[])[];
        try {
          levels = dependencyLevels(pipelines);
        } catch (error) {
          if (!(error instanceof DependencyCycle)) throw error;
          const { cycle } = error;
          expect(cycle.length).toBeGreaterThan(1);
          expect(cycle[0]).toBe(cycle.at(-1));
          for (const [at, name] of cycle.slice(1).entries())
            expect(pipelines.find(({ output }) => output === name)?.inputs).toContain(cycle[at]);
          return;
        }
        expect(new Set(levels.flat())).toEqual(new Set(pipelines));
        const before = new Set<string>();
        const computed = new Set(pipelines.map(({ output }) => output));
        for (const level of levels) {
          for (const { inputs } of level)
            for (const input of inputs)
              expect(before.has(input) || !computed.has(input)).toBe(true);
          for (const { output } of level) before.add(output);
        }
      }),
      { numRuns: 500 },
    );
  });
});
