import { describe, expect, it } from '@jest/globals';
import { CHOICE, STEP, compile, compiled, messages, wrong } from './compiling.js';

describe('what is wrong with a task', () => {
  it.each<[object, string]>([
    [{ name: undefined }, 'name:1  task has no name. Give it one: name: "fulfil-order".'],
    [
      { name: 'a b' },
      'name:1  task is called "a b"; a name starts with a letter and holds letters, digits, "-", "_" and "." only.',
    ],
    [{ stepz: [] }, 'stepz:1  unknown key "stepz". Did you mean "steps"?'],
    [
      { identityStrategy: 'unique' },
      'identityStrategy:1  identity_strategy is "unique". Write one of: always_unique, strict, caller_provided.',
    ],
    [{ namespaceName: 7 }, 'namespaceName:1  namespace_name must be a text.'],
    [{ version: 2 }, 'version:1  version must be a text.'],
    [{ metadata: [] }, 'metadata:1  metadata must be an object.'],
    [
      { domainEvents: {} },
      'domainEvents:1  domain_events must be a list of { name, description, schema }.',
    ],
    [
      { domainEvents: [{ description: 'x' }] },
      'domainEvents.0.name:1  domain_events: an event needs a name, such as payment.charged.',
    ],
    [
      { domainEvents: [{ name: 'paid' }, { name: 'paid' }] },
      'domainEvents.1.name:1  domain_events: "paid" is there twice.',
    ],
    [
      { domainEvents: [{ name: 'paid', schema: { type: 'objekt' } }] },
      expect.stringMatching(
        /^domainEvents\.0\.schema:1 {2}domain_events: schema is no JSON Schema: /,
      ) as unknown as string,
    ],
    [
      { lifecycle: '2h' },
      'lifecycle:1  lifecycle must be an object, such as { max_duration: 2h }.',
    ],
    [
      { lifecycle: { maxDuraton: '2h' } },
      'lifecycle.maxDuraton:1  lifecycle: unknown key "maxDuraton". Did you mean "maxDuration"?',
    ],
    [{ steps: undefined }, 'steps:1  a task needs steps: a list with at least one of them.'],
    [{ steps: [] }, 'steps:1  a task needs steps: a list with at least one of them.'],
    [{ steps: STEP }, 'steps:1  a task needs steps: a list with at least one of them.'],
  ])('is told: %j', (written, message) => {
    expect(messages(written)).toEqual([message]);
    expect(compile(written).task).toBeUndefined();
  });

  it('is warned of where a step publishes what its list of events has not', () => {
    const { task, problems } = compile({
      domainEvents: [{ name: 'payment.charged' }],
      steps: [
        { ...STEP, publishesEvents: [{ name: 'payment.charged' }, { name: 'payment.chrged' }] },
      ],
    });
    expect(problems.map(({ message, severity }) => [severity, message])).toEqual([
      [
        'warning',
        'step "pay": publishes_events: domain_events does not list it: unknown event "payment.chrged". Did you mean "payment.charged"?',
      ],
    ]);
    expect(task).toBeDefined();
  });

  it('is told where there are more than 200 steps', () => {
    const steps = (count: number): readonly object[] =>
      Array.from({ length: count }, (_, at) => ({ ...STEP, name: `s${String(at)}` }));
    expect(compile({ steps: steps(200) }).task).toBeDefined();
    expect(wrong(...steps(201))).toEqual([
      'steps:1  there are 201 steps; the most is 200 (steps).',
    ]);
  });

  it('is told where its plan is too large', () => {
    const initialization = { text: 'x'.repeat(300_000) };
    const [message] = wrong({ ...STEP, handler: { callable: 'charge', initialization } });
    expect(message).toMatch(
      /^:1 {2}its plan has \d+ bytes; the most is 262144 \(maxPlanBytes\)\. Move what initialization and schemas hold into files or services\.$/,
    );
  });
});

describe('what is wrong with a step', () => {
  it.each<[object, string]>([
    [{ retyr: {} }, 'retyr:1  step "pay": unknown key "retyr". Did you mean "retry"?'],
    [
      { type: 'batch' },
      'type:1  step "pay": type is "batch". Write one of: standard, decision, batchable, batch_worker, deferred_convergence, approval.',
    ],
    [{ description: 7 }, 'description:1  step "pay": description must be a text.'],
    [{ retry: 5 }, 'retry:1  step "pay": retry must be an object, such as { max_attempts: 5 }.'],
    [
      { retry: { maxAttempt: 5 } },
      'retry.maxAttempt:1  step "pay": retry: unknown key "maxAttempt". Did you mean "maxAttempts"?',
    ],
    [
      { retry: { retryable: 'no' } },
      'retry.retryable:1  step "pay": retry.retryable must be true or false.',
    ],
    [
      { retry: { maxAttempts: 0 } },
      'retry.maxAttempts:1  step "pay": retry.max_attempts is 0. Write a whole number from 1 to 100.',
    ],
    [
      { retry: { maxAttempts: 101 } },
      'retry.maxAttempts:1  step "pay": retry.max_attempts is 101. Write a whole number from 1 to 100.',
    ],
    [
      { retry: { maxAttempts: 1.5 } },
      'retry.maxAttempts:1  step "pay": retry.max_attempts is 1.5. Write a whole number from 1 to 100.',
    ],
    [
      { retry: { backoff: 'random' } },
      'retry.backoff:1  step "pay": retry.backoff is "random". Write one of: none, linear, exponential, fibonacci.',
    ],
    [
      { retry: { backoffBaseMs: '1s' } },
      'retry.backoffBaseMs:1  step "pay": retry.backoff_base_ms is "1s". Write a whole number from 0 to 604800000.',
    ],
    [
      { retry: { maxBackoffMs: -1 } },
      'retry.maxBackoffMs:1  step "pay": retry.max_backoff_ms is -1. Write a whole number from 0 to 604800000.',
    ],
    [
      { timeoutSeconds: -1 },
      'timeoutSeconds:1  step "pay": timeout_seconds is -1. Write a number from 0.001 to 604800.',
    ],
    [
      { timeoutSeconds: 0 },
      'timeoutSeconds:1  step "pay": timeout_seconds is 0. Write a number from 0.001 to 604800.',
    ],
    [
      { resultSchema: 'object' },
      'resultSchema:1  step "pay": result_schema must be JSON Schema: an object such as { type: object }.',
    ],
    [
      { resultSchema: { $ref: '#/$defs/nowhere' } },
      'resultSchema:1  step "pay": result_schema is no JSON Schema: can\'t resolve reference #/$defs/nowhere from id #.',
    ],
    [
      { publishesEvents: 'paid' },
      'publishesEvents:1  step "pay": publishes_events must be a list.',
    ],
    [
      { publishesEvents: [{ condition: 'success' }] },
      'publishesEvents.0.name:1  step "pay": publishes_events: an event needs a name, such as payment.charged.',
    ],
    [
      { publishesEvents: [{ name: 'paid', conditon: 'success' }] },
      'publishesEvents.0.conditon:1  step "pay": publishes_events: unknown key "conditon". Did you mean "condition"?',
    ],
    [
      { publishesEvents: [{ name: 'paid twice' }] },
      'publishesEvents.0.name:1  step "pay": publishes_events: an event is called "paid twice"; a name has words of letters, digits, "_" and "-", with dots between them.',
    ],
    [
      { publishesEvents: [{ name: 'step.execution.failed' }] },
      'publishesEvents.0.name:1  step "pay": publishes_events: an event is called "step.execution.failed"; names whose second word is "execution" are those of Millrace\'s own events. Choose another name.',
    ],
    [
      { publishesEvents: Array.from({ length: 21 }, () => ({ name: 'paid' })) },
      'publishesEvents:1  step "pay": publishes_events has 21 events; the most is 20 (events).',
    ],
    [
      { publishesEvents: [{ name: 'paid' }, { name: 'late', condition: 'late' }] },
      'publishesEvents.1.condition:1  step "pay": publishes_events: condition is "late". Write one of: success, failure, retryable_failure, permanent_failure, always.',
    ],
    [
      { batchConfig: { workerTemplate: 'pay' } },
      'batchConfig:1  step "pay": only a batchable step has a batch_config; this one is of type standard.',
    ],
    [
      { approval: {} },
      'approval:1  step "pay": only a step of type approval has approval; this one is of type standard.',
    ],
    [
      { dependencies: 'other' },
      'dependencies:1  step "pay": dependencies must be a list of names of steps.',
    ],
  ])('is told: %j', (written, message) => {
    expect(wrong({ ...STEP, ...written })).toEqual([`steps.0.${message}`]);
  });

  it('is told where it has no name, or that of another', () => {
    const rule = 'a step needs a name of letters, digits, "_" and "-" that starts with a letter.';
    expect(wrong({ handler: 'charge' }, { ...STEP, name: '1st' })).toEqual([
      `steps.0.name:1  step 1: ${rule}`,
      `steps.1.name:1  step "1st": ${rule}`,
    ]);
    expect(wrong(STEP, STEP)).toEqual([
      'steps.1.name:1  step "pay": there is a step of this name before. Give each its own.',
    ]);
    expect(wrong(STEP, null)).toEqual(['steps.1:1  step 2 is none. Write { name, handler }.']);
  });

  it('is told where it depends on steps that there are not', () => {
    const last = { name: 'last', handler: 'ship' };
    expect(wrong(STEP, { ...last, dependencies: ['pya', 'pay', 'elsewhere'] })).toEqual([
      'steps.1.dependencies.0:1  step "last": unknown step "pya". Did you mean "pay"?',
      'steps.1.dependencies.2:1  step "last": unknown step "elsewhere". Known: pay.',
    ]);
    expect(wrong(STEP, { ...last, dependsOn: ['pya'] })).toEqual([
      'steps.1.dependsOn.0:1  step "last": unknown step "pya". Did you mean "pay"?',
    ]);
  });

  it('is told where what comes before it is said twice', () => {
    const last = { name: 'last', handler: 'ship', dependencies: ['pay'], dependsOn: ['pay'] };
    expect(wrong(STEP, last)).toEqual([
      'steps.1.dependsOn:1  step "last": dependencies and depends_on are the same. Write one of them.',
    ]);
  });

  it('is told where it depends on itself', () => {
    expect(
      wrong(
        STEP,
        { name: 'a', handler: 'ship', dependsOn: ['b'] },
        {
          name: 'b',
          handler: 'ship',
          dependsOn: ['a', 'pay'],
        },
      ),
    ).toEqual([
      'steps.1:1  step "a": it depends on itself: a → b → a. Take one of these dependencies out.',
    ]);
  });

  it('is told where nothing follows from a decision', () => {
    expect(wrong(CHOICE)).toEqual([
      'steps.0:1  step "pick": no step depends on this decision that it could choose: convergences come after what was chosen.',
    ]);
  });

  it('is only a warning where branches come together without a convergence', () => {
    const steps = [
      CHOICE,
      { name: 'a', handler: 'ship', dependsOn: ['pick'] },
      { name: 'b', handler: 'ship', dependsOn: ['pick'] },
      { name: 'c', handler: 'ship', dependsOn: ['a', 'b'] },
    ];
    expect(wrong(...steps)).toEqual([
      'steps.3:1  warning:  step "c": it needs "a" and "b", and is left out unless "pick" chooses all of them. To run it after those that are chosen, write type: deferred_convergence.',
    ]);
    expect(compiled({ steps }).plan.steps).toHaveLength(4);
  });
});

describe('all that is wrong', () => {
  it('is told at once, each at its own place', () => {
    expect(
      messages({
        identityStrategy: 'unique',
        lifecycle: { onLimit: 'stop' },
        inputSchema: { type: 'objekt' },
        steps: [
          { name: 'a', handler: 'chrage', retry: { maxAttempts: 0 } },
          { ...CHOICE, dependencies: ['z'] },
          { ...STEP, timeoutSeconds: -1 },
        ],
        environments: { production: { steps: [{ name: 'pay', retry: { backoff: 'x' } }] } },
      }).map((message) => message.split('  ')[0]),
    ).toEqual([
      'identityStrategy:1',
      'lifecycle.onLimit:1',
      'inputSchema:1',
      'steps.0.retry.maxAttempts:1',
      'steps.0.handler:1',
      'steps.2.timeoutSeconds:1',
      'steps.1.dependencies.0:1',
      'steps.1:1',
      'environments.production.steps.0.retry.backoff:1',
    ]);
  });
});
