import { describe, expect, it } from '@jest/globals';
import { readPipeline } from '../../../engine/project/pipeline-file.js';
import { readYaml } from '../../../engine/project/yaml-file.js';
import { formatProblem } from '../../../src/definition/problem.js';

function messagesOf(text: string): readonly string[] {
  return readPipeline('p.yml', text).problems.map(formatProblem);
}

const PIPELINE = `name: report
description: A report.
timeout: 30s
merge: collate
result: all
stages:
  - name: one
    timeout: 5000
    merge: first
    parallel: 2
    operations:
      - count-words
      - type: llm-call
        name: ask
        model: fast
        timeout: 10s
        options: { onEmpty: skip, nothing: null }
        ignore_errors: [timeout]
        retry:
          maximum_attempts: 5
          initial_interval: 2s
          backoff_coefficient: 1.5
          maximum_interval: 1m
`;

describe('a pipeline in YAML', () => {
  it('has everything that one in TypeScript has', () => {
    const { source, problems } = readPipeline('p.yml', PIPELINE);
    expect(problems).toEqual([]);
    expect(source?.definition).toMatchObject({
      name: 'report',
      description: 'A report.',
      timeout: '30s',
      merge: 'collate',
      result: 'all',
      stages: [
        {
          name: 'one',
          timeout: 5000,
          merge: 'first',
          parallel: 2,
          operations: [
            { type: 'count-words' },
            {
              type: 'llm-call',
              name: 'ask',
              model: 'fast',
              timeout: '10s',
              options: { onEmpty: 'skip', nothing: null },
              ignoreErrors: ['timeout'],
              retry: {
                maximumAttempts: 5,
                initialInterval: '2s',
                backoffCoefficient: 1.5,
                maximumInterval: '1m',
              },
            },
          ],
        },
      ],
    });
  });

  it('knows where each of its values is written, by the names that code uses', () => {
    const { source } = readPipeline('p.yml', PIPELINE);
    const place = (...path: (string | number)[]): unknown => {
      const site = source?.locate(path);
      return `${String(site?.line)}:${String(site?.column)}`;
    };
    expect(place()).toBe('1:1');
    expect(place('name')).toBe('1:7');
    expect(place('stages', 0, 'operations', 0)).toBe('12:9');
    expect(place('stages', 0, 'operations', 0, 'type')).toBe('12:9');
    expect(place('stages', 0, 'operations', 1)).toBe('13:9');
    expect(place('stages', 0, 'operations', 1, 'type')).toBe('13:15');
    expect(place('stages', 0, 'operations', 1, 'ignoreErrors', 0)).toBe('18:25');
    expect(place('stages', 0, 'operations', 1, 'retry', 'maximumAttempts')).toBe('20:29');
    expect(place('stages', 0, 'operations', 1, 'options', 'onEmpty')).toBe('17:29');
  });

  it('gives the place of the nearest parent of what is missing', () => {
    const { source } = readPipeline('p.yml', PIPELINE);
    expect(source?.locate(['stages', 0, 'operations', 1, 'options', 'prompt', 'text'])).toEqual({
      file: 'p.yml',
      line: 17,
      column: 18,
    });
    expect(source?.locate(['stages', 7])).toEqual({ file: 'p.yml', line: 7, column: 3 });
    expect(source?.locate(['output', 'words'])).toEqual({ file: 'p.yml', line: 1, column: 1 });
  });

  it('may repeat a part by an alias, and is located there', () => {
    const { source, problems } = readPipeline(
      'p.yml',
      'name: a\nstages:\n  - { name: one, operations: &all [{ type: link }] }\n  - { name: two, operations: *all }\n',
    );
    expect(problems).toEqual([]);
    expect(source?.definition.stages[1]?.operations).toEqual([{ type: 'link' }]);
    expect(source?.locate(['stages', 1, 'operations', 0, 'type'])).toEqual({
      file: 'p.yml',
      line: 3,
      column: 44,
    });
  });

  it('takes a key with nothing behind it as one that is not there', () => {
    const { source, problems } = readPipeline(
      'p.yml',
      'name: a\ntimeout:\nmerge: ~\nstages: [{ name: one, timeout: , operations: [link] }]\n',
    );
    expect(problems).toEqual([]);
    expect(source?.definition).not.toHaveProperty('timeout');
    expect(source?.definition.stages[0]).not.toHaveProperty('timeout');
  });
});

describe('an unknown key', () => {
  it.each([
    ['descripton: x', '3:1  unknown key "descripton". Did you mean "description"?'],
    [
      'ignore_errors: true',
      '3:1  unknown key "ignore_errors". Known: description, merge, name, result, stages, timeout.',
    ],
    [
      'stages: [{ name: one, paralel: 2, operations: [] }]',
      '3:23  stage "one": unknown key "paralel". Did you mean "parallel"?',
    ],
    [
      'stages: [{ name: one, operations: [{ typ: link }] }]',
      '3:38  stage "one": unknown key "typ". Did you mean "type"?',
    ],
    [
      'stages: [{ name: one, operations: [{ type: link, ignoreErrors: true }] }]',
      '3:50  stage "one": unknown key "ignoreErrors". Did you mean "ignore_errors"?',
    ],
    [
      'stages: [{ operations: [{ type: link, retry: { max_attempts: 2 } }] }]',
      '3:48  unknown key "max_attempts". Known: backoff_coefficient, initial_interval, maximum_attempts, maximum_interval.',
    ],
  ])('%s is told with its place', (line, message) => {
    expect(messagesOf(`# A pipeline.\nname: a\n${line}\n`)).toContain(`p.yml:${message}`);
  });

  it('is read as the one that was meant, so that nothing else is blamed for it', () => {
    const { source, problems } = readPipeline(
      'p.yml',
      'name: a\nstagez: [{ name: one, operatoins: [link] }]\n',
    );
    expect(problems.map(formatProblem)).toEqual([
      'p.yml:2:1  unknown key "stagez". Did you mean "stages"?',
      'p.yml:2:23  unknown key "operatoins". Did you mean "operations"?',
    ]);
    expect(source?.definition.stages).toEqual([{ name: 'one', operations: [{ type: 'link' }] }]);
    expect(source?.locate(['stages', 0, 'operations', 0, 'type'])).toEqual({
      file: 'p.yml',
      line: 2,
      column: 36,
    });
  });
});

describe('a value of the wrong kind', () => {
  it.each([
    ['name: 7', "1:7  key 'name' expected string, got number."],
    ['name: a\nstages: { one: [] }', "2:9  key 'stages' expected array, got object."],
    ['name: a\nstages: [one]', "2:10  key 'stages[0]' expected object, got string."],
    [
      'name: a\nstages: [{ name: one, operations: link }]',
      '2:35  stage "one": key \'stages[0].operations\' expected array, got string.',
    ],
    [
      'name: a\nstages: [{ name: one, operations: [{ type: link, options: [1] }] }]',
      '2:59  stage "one": key \'stages[0].operations[0].options\' expected',
    ],
    [
      'name: a\nstages: [{ name: one, operations: [{ type: link, ignore_errors: 7 }] }]',
      '2:65  stage "one": key \'stages[0].operations[0].ignore_errors\' expected boolean or array, got number.',
    ],
    ['- name: a', '1:1  no pipeline is written here. It starts with name: and stages:.'],
    ['', '1:1  no pipeline is written here. It starts with name: and stages:.'],
  ])('%s is told with its place', (text, message) => {
    expect(messagesOf(`${text}\n`).join('\n')).toContain(`p.yml:${message}`);
  });
});

describe('a YAML file', () => {
  it('that is not YAML is told with every place', () => {
    const { problems } = readYaml('p.yml', 'name: a\nname: b\nstages: [1, 2\ntimeout: "30s\n');
    expect(problems.map(formatProblem)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^p\.yml:2:1 {2}not valid YAML: Map keys must be unique\./),
        expect.stringMatching(/^p\.yml:4:1 {2}not valid YAML: /),
      ]),
    );
  });

  it('with tabs for blanks is told with the place of the tab', () => {
    expect(messagesOf('name: a\nstages:\n\t- name: one\n')[0]).toMatch(
      /^p\.yml:3:1 {2}not valid YAML: Tabs are not allowed as indentation\./,
    );
  });

  it('is refused when its aliases would fill the memory', () => {
    const lines = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (const [name, before] of [
      ['b', 'a'],
      ['c', 'b'],
      ['d', 'c'],
      ['e', 'd'],
      ['f', 'e'],
      ['g', 'f'],
      ['h', 'g'],
    ] as const) {
      lines.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(',')}]`);
    }
    expect(messagesOf(lines.join('\n'))).toEqual([
      'p.yml  too many aliases; together they may repeat what they name 100 times (maxAliases).',
    ]);
  });

  it('is refused when an alias names nothing', () => {
    expect(messagesOf('name: *nothing\n')[0]).toBe(
      'p.yml:1:7  *nothing repeats what no earlier &nothing names.',
    );
  });

  it('is refused when it is too large or too deep', () => {
    expect(messagesOf(`# ${'x'.repeat(1024 * 1024)}`)).toEqual([
      'p.yml  the file has 1048578 characters; the most is 1048576 (maxYaml).',
    ]);
    expect(messagesOf('['.repeat(200_000))[0]).toMatch(
      /^p\.yml.* {2}(?:it is nested too deeply to be read\.|not valid YAML)/,
    );
  });
});
