import { describe, expect, it } from '@jest/globals';
import { readTask } from '../../../engine/project/task-file.js';
import { formatProblem } from '../../../src/definition/problem.js';
import { load, messagesOf } from './compiling.js';

describe('an unknown key', () => {
  it.each([
    ['descripton: x', '2:1  unknown key "descripton". Did you mean "description"?'],
    [
      'retries: 3',
      '2:1  unknown key "retries". Known: description, domain_events, environments, identity_strategy, input_schema, lifecycle, metadata, name, namespace_name, steps, version.',
    ],
    [
      'identityStrategy: strict',
      '2:1  unknown key "identityStrategy". Did you mean "identity_strategy"?',
    ],
    [
      'lifecycle: { max_duraton: 2h }',
      '2:14  unknown key "max_duraton". Did you mean "max_duration"?',
    ],
    [
      'domain_events: [{ name: paid, descripton: x }]',
      '2:31  unknown key "descripton". Did you mean "description"?',
    ],
    [
      'environments: { production: { stepz: [] } }',
      '2:31  unknown key "stepz". Did you mean "steps"?',
    ],
    [
      'environments: { production: { steps: [{ name: pay, retyr: {} }] } }',
      '2:52  unknown key "retyr". Did you mean "retry"?',
    ],
    [
      'environments: { production: { steps: [{ name: pay, depends_on: [] }] } }',
      '2:52  unknown key "depends_on". Known: approval, batch_config, description, handler, name, publishes_events, result_schema, retry, timeout_seconds.',
    ],
  ])('of a task is told with its place: %s', (line, message) => {
    expect(messagesOf(`name: a\n${line}\nsteps: [{ name: pay, handler: charge }]\n`)).toEqual([
      `t.yml:${message}`,
    ]);
  });

  it.each([
    ['dependson: []', '5:5  step "pay": unknown key "dependson". Did you mean "depends_on"?'],
    [
      'retry: { maxAttempts: 5 }',
      '5:14  step "pay": unknown key "maxAttempts". Did you mean "max_attempts"?',
    ],
    ['retry: { backof: none }', '5:14  step "pay": unknown key "backof". Did you mean "backoff"?'],
    [
      'publishes_events: [{ name: x, conditon: always }]',
      '5:35  step "pay": unknown key "conditon". Did you mean "condition"?',
    ],
  ])('of a step is told with its place: %s', (line, message) => {
    expect(
      messagesOf(`name: a\nsteps:\n  - name: pay\n    handler: charge\n    ${line}\n`),
    ).toEqual([`t.yml:${message}`]);
  });

  it.each([
    [
      '{ name: pay, handler: { calable: charge } }',
      '2:33  step "pay": unknown key "calable". Did you mean "callable"?',
    ],
    [
      '{ name: ok, type: approval, approval: { timeot: 2d } }',
      '2:49  step "ok": unknown key "timeot". Did you mean "timeout"?',
    ],
    [
      '{ name: cut, type: batchable, handler: divide, batch_config: { worker_templat: load } }, { name: load, type: batch_worker, handler: charge, depends_on: [cut] }',
      '2:72  step "cut": unknown key "worker_templat". Did you mean "worker_template"?',
    ],
  ])(
    'is read as the one that was meant, so that nothing else is blamed for it: %s',
    (steps, message) => {
      const { task, messages } = load(`name: a\nsteps: [${steps}]\n`);
      expect(messages).toEqual([`t.yml:${message}`]);
      expect(task).toBeDefined();
    },
  );
});

describe('a value of the wrong kind', () => {
  it.each([
    ['name: 7', "1:7  key 'name' expected string, got number."],
    ['name: a\nversion: 1.0', "2:10  key 'version' expected string, got number."],
    ['name: a\nlifecycle: 2h', "2:12  key 'lifecycle' expected object, got string."],
    ['name: a\nenvironments: [x]', "2:15  key 'environments' expected record, got array."],
  ])('is told with its place, once: %j', (text, message) => {
    expect(messagesOf(`${text}\nsteps: [{ name: pay, handler: charge }]\n`)).toEqual([
      `t.yml:${message}`,
    ]);
  });

  it.each([
    [
      '{ name: pay, handler: 5 }',
      '2:31  step "pay": key \'steps[0].handler\' expected string or object, got number.',
    ],
    [
      '{ name: pay, handler: charge, depends_on: cut }',
      '2:51  step "pay": key \'steps[0].depends_on\' expected array, got string.',
    ],
    [
      '{ name: pay, handler: charge, retry: 5 }',
      '2:46  step "pay": key \'steps[0].retry\' expected object, got number.',
    ],
    [
      '{ name: pay, handler: charge, retry: { retryable: no } }',
      '2:59  step "pay": key \'steps[0].retry.retryable\' expected boolean, got string.',
    ],
    ['{ name: 5, handler: charge }', "2:17  key 'steps[0].name' expected string, got number."],
  ])('in a step is told with its place, once: %s', (step, message) => {
    expect(messagesOf(`name: a\nsteps: [${step}]\n`)).toEqual([`t.yml:${message}`]);
  });

  it.each(['', '- name: a', 'text', '7'])('is told where there is no task: %j', (text) => {
    expect(messagesOf(text)).toEqual([
      't.yml:1:1  no task is written here. It starts with name: and steps:.',
    ]);
  });

  it('is told where a task has neither name nor steps', () => {
    expect(messagesOf('version: 1.0.0\n')).toEqual([
      't.yml:1:1  task has no name. Give it one: name: "fulfil-order".',
      't.yml:1:1  a task needs steps: a list with at least one of them.',
    ]);
  });

  it('is told where it is not YAML', () => {
    const { source, problems } = readTask('t.yml', 'name: a\nname: b\n');
    expect(source).toBeUndefined();
    expect(problems.map(formatProblem)).toEqual([
      't.yml:2:1  not valid YAML: Map keys must be unique.',
    ]);
  });
});

describe('everything that is wrong with a task', () => {
  it('is told at once, each with line and column', () => {
    expect(
      messagesOf(
        [
          'name: a',
          'identity_strategy: unique',
          'lifecycle: { max_duration: soon }',
          'input_schema: { type: objekt }',
          'steps:',
          '  - name: pay',
          '    handler: chrage',
          '    retyr: { max_attempts: 0 }',
          '    timeout_seconds: -1',
          '  - name: ship',
          '    handler: choose',
          '    depends_on: [pya]',
          '  - name: cut',
          '    type: batchable',
          '    handler: divide',
          '    batch_config: { worker_template: laod, parallelism: 0 }',
          '  - name: ok',
          '    type: approval',
          '    handler: charge',
          '    dependencies: [pay]',
          '    depends_on: [pay]',
          'environments:',
          '  production:',
          '    steps:',
          '      - { name: pay, retry: { max_attempts: 101 } }',
        ].join('\n'),
      ),
    ).toEqual([
      't.yml:8:5  step "pay": unknown key "retyr". Did you mean "retry"?',
      't.yml:2:20  identity_strategy is "unique". Write one of: always_unique, strict, caller_provided.',
      't.yml:3:28  lifecycle.max_duration: "soon" is not a duration. Write a positive number of milliseconds or a string such as "30s", "5 minutes" or "2h".',
      't.yml:4:15  input_schema is no JSON Schema: schema is invalid: data/type must be equal to one of the allowed values, data/type must be array, data/type must match a schema in anyOf.',
      't.yml:8:28  step "pay": retry.max_attempts is 0. Write a whole number from 1 to 100.',
      't.yml:9:22  step "pay": timeout_seconds is -1. Write a number from 0.001 to 604800.',
      't.yml:7:14  step "pay": unknown handler "chrage". Did you mean "charge"?',
      't.yml:11:14  step "ship": handler "choose" is of type decision; a standard step needs one made by defineStepHandler or defineApiHandler.',
      't.yml:16:57  step "cut": batch_config.parallelism is 0. Write a whole number from 1 to 100.',
      't.yml:19:14  step "ok": an approval has no handler: it waits for somebody\'s answer.',
      't.yml:21:17  step "ok": dependencies and depends_on are the same. Write one of them.',
      't.yml:12:18  step "ship": unknown step "pya". Did you mean "pay"?',
      't.yml:16:38  step "cut": worker_template: unknown step "laod". Known: cut, ok, pay, ship.',
      't.yml:25:45  environments.production: step "pay": retry.max_attempts is 101. Write a whole number from 1 to 100.',
    ]);
  });

  it('is told where a name is nearly one whose value is wrong', () => {
    expect(
      messagesOf(
        [
          'name: a',
          'versoin: 1.0',
          'version: 2',
          'steps:',
          '  - { name: x, handler: chrage }',
        ].join('\n'),
      ),
    ).toEqual([
      "t.yml:3:10  key 'version' expected string, got number.",
      't.yml:2:1  unknown key "versoin". Did you mean "version"?',
      't.yml:5:25  step "x": unknown handler "chrage". Did you mean "charge"?',
    ]);
  });

  it('is told beside a step that is none, or has no name', () => {
    const steps = [
      '  - text',
      '  - handler: chrage',
      '  - { name: 1st, handler: chrage, depends_on: [x] }',
      '  - { name: x, handler: charge, depends_on: [nowhere] }',
      '  - name: cut',
      '    type: batchable',
      '    handler: divide',
      '    batch_config: { worker_template: laod }',
      '  - name: tell',
      '    handler: charge',
      '    publishes_events: [{ name: paid }, { condition: always }]',
    ];
    expect(messagesOf(['name: a', 'domain_events: []', 'steps:', ...steps].join('\n'))).toEqual([
      "t.yml:4:5  key 'steps[0]' expected object, got string.",
      't.yml:5:5  step 2: a step needs a name of letters, digits, "_" and "-" that starts with a letter.',
      't.yml:5:14  step 2: unknown handler "chrage". Did you mean "charge"?',
      't.yml:6:13  step "1st": a step needs a name of letters, digits, "_" and "-" that starts with a letter.',
      't.yml:6:27  step "1st": unknown handler "chrage". Did you mean "charge"?',
      't.yml:14:40  step "tell": publishes_events: an event needs a name, such as payment.charged.',
      't.yml:7:46  step "x": unknown step "nowhere". Known: 1st, cut, tell.',
      't.yml:11:38  step "cut": worker_template: unknown step "laod". Known: 1st, cut, tell, x.',
      't.yml:14:32  warning:  step "tell": publishes_events: domain_events does not list it: unknown event "paid".',
    ]);
  });

  it('is told for the way in which its steps depend on each other', () => {
    expect(
      messagesOf(
        [
          'name: a',
          'steps:',
          '  - { name: x, handler: charge, depends_on: [y] }',
          '  - { name: y, handler: charge, depends_on: [z, free] }',
          '  - { name: free, handler: charge }',
          '  - { name: after, handler: charge, depends_on: [x] }',
          '  - { name: z, handler: charge, depends_on: [x] }',
        ].join('\n'),
      ),
    ).toEqual([
      't.yml:3:5  step "x": it depends on itself: x → z → y → x. Take one of these dependencies out.',
    ]);
  });

  it.each([
    ['[7]', 't.yml:3:46', 'expected string, got number'],
    ['[~]', 't.yml:3:46', 'expected string, got null'],
    ['[x, {}]', 't.yml:3:49', 'expected string, got object'],
  ])('is told of an item of a list that is none: %s', (listed, place, message) => {
    const steps = ['steps:', `  - { name: x, handler: charge, depends_on: ${listed} }`];
    const found = messagesOf(['name: a', ...steps].join('\n'));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`${place}  step "x": key 'steps[0].depends_on`);
    expect(found[0]).toContain(message);
  });

  it('is told with the name of the task', () => {
    const { problems } = readTask('t.yml', 'name: sell\nstepz: []\n');
    expect(problems).toEqual([
      {
        site: { file: 't.yml', line: 2, column: 1 },
        definition: 'sell',
        message: 'unknown key "stepz". Did you mean "steps"?',
      },
    ]);
  });
});
