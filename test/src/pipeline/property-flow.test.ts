import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { exampleInput } from '../../../src/contract/example-input.js';
import { inputContract } from '../../../src/contract/input-contract.js';
import { flowTypes, type FlowStage } from '../../../src/pipeline/type-flow.js';
import { messages, stage } from '../../support/flow-stages.js';

const text = z.string();
const number = z.number();

describe('a property', () => {
  it('that two stages read with other limits is still known by its type', () => {
    const reading = [
      stage('one', [{ reads: { count: number.min(1) } }]),
      stage('two', [{ reads: { count: number.max(9) } }]),
    ];
    expect(messages([...reading, stage('three', [{ reads: { count: text } }])])).toEqual([
      'stage "three": "op0" reads "count" as string, but the input has it as number.',
    ]);
    expect(exampleInput(inputContract(flowTypes(reading, undefined).input))).toEqual({ count: 1 });
  });

  it('may not be what its setter may leave out, unless the reader can do without', () => {
    const one = stage('one', [
      { name: 'maybe', sets: { x: text.optional(), y: text.default('') } },
    ]);
    expect(messages([one, stage('two', [{ name: 'needs', reads: { x: text, y: text } }])])).toEqual(
      [
        'stage "two": "needs" reads "x", which stage "one": "maybe" may leave out. Make it required in what "maybe" sets, or optional in what "needs" reads.',
      ],
    );
    expect(messages([one, stage('two', [{ reads: { x: text.optional() } }])])).toEqual([]);
    expect(messages([one, stage('two', [{ reads: { x: text.default('') } }])])).toEqual([]);
  });

  it('may be what its setter may leave out, where it was there before', () => {
    const maybe = stage('maybe', [{ sets: { x: text.optional() } }]);
    const needs = stage('needs', [{ reads: { x: text } }]);
    expect(messages([stage('sure', [{ sets: { x: text } }]), maybe, needs])).toEqual([]);
    expect(
      messages([stage('both', [{ sets: { x: text } }, { sets: { x: text.optional() } }]), needs]),
    ).toEqual([]);
    expect(messages([maybe, needs], { x: text })).toEqual([]);
    const number = stage('number', [{ sets: { x: z.number() } }]);
    expect(messages([number, maybe, stage('two', [{ reads: { x: z.boolean() } }])])).toEqual([
      'stage "two": "op0" reads "x" as boolean, but stage "maybe" sets it as number or string.',
    ]);
  });

  it('may not be what the declared input may lack', () => {
    const needs = [stage('one', [{ name: 'needs', reads: { x: text } }])];
    const message =
      'stage "one": "needs" reads "x", which the declared input may lack. Make it required there, or optional in what "needs" reads, which is also the place of a default.';
    expect(messages(needs, { x: text.optional() })).toEqual([message]);
    expect(messages(needs, { x: text.default('') })).toEqual([message]);
  });

  it.each(['constructor', 'toString', 'valueOf', 'hasOwnProperty'])('may be called %s', (name) => {
    const flow = flowTypes(
      [
        stage('one', [{ sets: { x: text } }, { sets: { x: text } }]),
        stage('two', [{ reads: { [name]: text }, sets: { [name]: number } }], 'collate'),
        stage('three', [{ reads: { [name]: number } }]),
      ],
      undefined,
    );
    expect(flow.problems).toEqual([]);
    expect(Object.keys(flow.input)).toEqual([name]);
    expect(messages([stage('one', [{ reads: { [name]: text } }])], { x: text })).toEqual([
      expect.stringContaining('which nothing sets and the declared input lacks'),
    ]);
  });

  it('may not be called __proto__, in any part of a contract', () => {
    for (const part of [
      { reads: { ['__proto__']: text } },
      { sets: { ['__proto__']: text } },
      { deletes: ['__proto__'] },
    ]) {
      expect(messages([stage('one', [part])])).toEqual([
        'stage "one": "op0": no property can be called __proto__. Choose another name.',
      ]);
    }
  });
});

describe('what is not certain', () => {
  it('is what an operation sets whose failures may be ignored, unless it was there before', () => {
    const lenient = stage('two', [{ sets: { x: text }, ignoresErrors: true }]);
    const uncertain = (...stages: readonly FlowStage[]): readonly string[] => [
      ...flowTypes(stages, undefined).uncertain,
    ];
    expect(uncertain(lenient)).toEqual(['x']);
    expect(uncertain(stage('one', [{ sets: { x: text } }]), lenient)).toEqual([]);
    expect(uncertain(stage('one', [{ sets: { x: number } }]), lenient)).toEqual(['x']);
    expect(uncertain(lenient, stage('three', [{ sets: { x: text } }]))).toEqual([]);
    expect(uncertain(lenient, stage('three', [{ sets: { x: text.optional() } }]))).toEqual(['x']);
  });
});
