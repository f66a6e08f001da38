import { describe, expect, it } from '@jest/globals';
import { readTask } from '../../../engine/project/task-file.js';
import { taskOf } from '../../src/task/compiling.js';

const TASK = `name: sell
namespace_name: shop
version: 2.0.1
description: Sells.
metadata: { owner: null, cost_center: 7 }
identity_strategy: caller_provided
input_schema:
  type: object
  required: [order_id]
  properties:
    order_id: { type: string }
    item_count: { type: integer, default: 1 }
domain_events:
  - { name: order.paid, description: It is paid., schema: { type: object } }
lifecycle:
  max_duration: 2h
  max_wait_for_dependencies: 10m
  max_wait_for_retry: 1m
  on_limit: dead_letter
  on_error: wait
steps:
  - name: pick
    type: decision
    handler: choose
  - name: pay
    description: Takes the money.
    handler:
      callable: charge
      method: refund
      initialization: { base_url: http://test, proxy: null }
    depends_on: [pick]
    retry:
      retryable: true
      max_attempts: 5
      backoff: fibonacci
      backoff_base_ms: 10
      max_backoff_ms: 20
    timeout_seconds: 1.5
    publishes_events:
      - { name: order.paid, condition: always, schema: { additionalProperties: false } }
    result_schema: { type: object, properties: { paid_at: { type: string } } }
  - name: cut
    type: batchable
    handler: divide
    dependencies: [pick]
    batch_config:
      batch_size: 50
      parallelism: 4
      cursor_field: order_id
      worker_template: load
      failure_strategy: fail_fast
  - { name: load, type: batch_worker, handler: charge, depends_on: [cut] }
  - name: agree
    type: approval
    depends_on: [pay]
    approval: { timeout: 90m, on_timeout: complete, result: { agreed_by: nobody } }
environments:
  production:
    lifecycle: { max_duration: 3h }
    steps:
      - name: pay
        handler: { initialization: { base_url: https://live } }
        retry: { max_attempts: 9 }
        timeout_seconds: 30
`;

describe('a task in YAML', () => {
  it('has everything that one in TypeScript has', () => {
    const { plan, ...task } = taskOf(TASK);
    expect(task).toMatchObject({
      name: 'sell',
      description: 'Sells.',
      metadata: { owner: null, cost_center: 7 },
      identityStrategy: 'caller_provided',
      site: { file: 't.yml', line: 1, column: 1 },
    });
    expect(plan).toMatchObject({
      name: 'sell',
      namespace: 'shop',
      version: '2.0.1',
      lifecycle: {
        maxDurationMs: 7_200_000,
        maxDependencyWaitMs: 600_000,
        maxRetryWaitMs: 60_000,
        onLimit: 'dead_letter',
        onError: 'wait',
      },
    });
    expect(plan.steps).toMatchObject([
      { name: 'pick', type: 'decision', branches: ['pay', 'cut'] },
      {
        name: 'pay',
        type: 'standard',
        handler: {
          callable: 'charge',
          method: 'refund',
          initialization: { base_url: 'http://test', proxy: null },
        },
        dependencies: ['pick'],
        retry: { maximumAttempts: 5, backoff: 'fibonacci', baseMs: 10, maximumMs: 20 },
        timeoutMs: 1_500,
        resultSchema: { type: 'object', properties: { paid_at: { type: 'string' } } },
        events: [
          { name: 'order.paid', condition: 'always', schema: { additionalProperties: false } },
        ],
      },
      {
        name: 'cut',
        type: 'batchable',
        batch: {
          size: 50,
          parallelism: 4,
          cursorField: 'order_id',
          worker: 'load',
          failureStrategy: 'fail_fast',
        },
      },
      { name: 'load', type: 'batch_worker', dependencies: ['cut'] },
      {
        name: 'agree',
        type: 'approval',
        approval: {
          timeoutMs: 5_400_000,
          onTimeout: 'complete',
          result: { agreed_by: 'nobody' },
        },
      },
    ]);
  });

  it('checks its input by the names that its schema has', () => {
    const { checkInput } = taskOf(TASK);
    expect(checkInput({ order_id: 'a' })).toEqual({ order_id: 'a', item_count: 1 });
    expect(() => checkInput({ orderId: 'a', item_count: 'x' })).toThrow(
      "Property 'order_id' is required; Property 'item_count' expected integer, got \"x\"",
    );
  });

  it('has what an environment changes, where that is chosen', () => {
    const { lifecycle, steps } = taskOf(TASK, 'production').plan;
    expect(lifecycle).toMatchObject({ maxDurationMs: 10_800_000, onLimit: 'dead_letter' });
    expect(steps[1]).toMatchObject({
      timeoutMs: 30_000,
      handler: {
        callable: 'charge',
        method: 'refund',
        initialization: { base_url: 'https://live', proxy: null },
      },
      retry: { maximumAttempts: 9, backoff: 'fibonacci' },
    });
    expect(taskOf(TASK, 'staging').plan).toEqual(taskOf(TASK).plan);
  });

  it('knows where each of its values is written, by the names that code uses', () => {
    const { source } = readTask('t.yml', TASK);
    const place = (...path: (string | number)[]): string => {
      const site = source?.locate(path);
      return `${String(site?.line)}:${String(site?.column)}`;
    };
    expect(place()).toBe('1:1');
    expect(place('identityStrategy')).toBe('6:20');
    expect(place('lifecycle', 'maxWaitForRetry')).toBe('18:23');
    expect(place('steps', 1, 'dependsOn', 0)).toBe('31:18');
    expect(place('steps', 1, 'retry', 'maxAttempts')).toBe('34:21');
    expect(place('steps', 2, 'batchConfig', 'workerTemplate')).toBe('50:24');
    expect(place('environments', 'production', 'steps', 0, 'timeoutSeconds')).toBe('64:26');
  });

  it('takes a key with nothing behind it as one that is not there', () => {
    const { plan } = taskOf(
      [
        'name: a',
        'version:',
        'lifecycle: ~',
        'input_schema:',
        'environments: { production: }',
        'steps:',
        '  - name: pay',
        '    type:',
        '    handler: charge',
        '    depends_on:',
        '    retry: { max_attempts: , backoff: ~ }',
        '    timeout_seconds:',
      ].join('\n'),
    );
    expect(plan).toEqual(taskOf('name: a\nsteps: [{ name: pay, handler: charge }]').plan);
  });

  it('keeps null where a handler, a schema or metadata has it', () => {
    const { plan, metadata } = taskOf(
      [
        'name: a',
        'metadata: { owner: null, list: [null, { deep: null }] }',
        'steps:',
        '  - name: pay',
        '    handler: { callable: charge, initialization: { proxy: { url: null } } }',
        '    result_schema: { const: null }',
        '    publishes_events: [{ name: paid, schema: { const: null } }]',
      ].join('\n'),
    );
    expect(metadata).toEqual({ owner: null, list: [null, { deep: null }] });
    expect(plan.steps[0]).toMatchObject({
      handler: { initialization: { proxy: { url: null } } },
      resultSchema: { const: null },
      events: [{ name: 'paid', schema: { const: null } }],
    });
  });

  it('may repeat a part by an alias', () => {
    const { plan } = taskOf(
      'name: a\nsteps:\n  - { name: x, handler: charge, retry: &often { max_attempts: 9 } }\n  - { name: y, handler: charge, retry: *often }\n',
    );
    expect(plan.steps.map(({ retry }) => retry.maximumAttempts)).toEqual([9, 9]);
  });
});
