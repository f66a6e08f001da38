import { beforeEach, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { post, send, useServers, type Answer } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { operations, pipelines } from './definitions.js';
import { inputSchema, tasks } from './task-definitions.js';

const temporal = useTemporal();

describe('tasks over HTTP', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines, tasks }));
  const serve = useServers();
  let root: string;
  let url: string;

  beforeEach(async () => {
    root = (await serve(stack.current.engine)).url;
    url = `${root}/tasks`;
  });

  async function untilStep(execution: string, step: string, status: string): Promise<Answer> {
    return until(async () => {
      const answer = await send(`${root}${execution}`);
      // The API's own form.
      const steps = answer.body['steps'] as { name: string; status: string }[];
      return steps.some((one) => one.name === step && one.status === status) ? answer : undefined;
    });
  }

  async function started(name: string, input: unknown = {}): Promise<string> {
    const { status, body } = await post(`${url}/${name}/async`, input);
    expect(status).toBe(202);
    return String(body['status_url']);
  }

  it('are listed beside pipelines, and tell their steps', async () => {
    const { body } = await send(url);
    expect(body['tasks']).toHaveLength(7);
    expect(body['tasks']).toContainEqual({
      name: 'say',
      namespace_name: 'talk',
      version: '3.0.0',
      description: 'Says it again',
      input_schema: inputSchema,
      output_schema: expect.any(Object),
    });
    expect((await send(`${root}/pipelines`)).body['pipelines']).toHaveLength(pipelines.length);
    expect((await send(`${url}/pay`)).body).toMatchObject({
      identity_strategy: 'always_unique',
      steps: [
        { name: 'charge', type: 'standard', handler: 'decline', dependencies: [] },
        { name: 'receipt', type: 'standard', handler: 'echo', dependencies: ['charge'] },
      ],
    });
  });

  it('run and answer with their result', async () => {
    const { status, body } = await post(`${url}/say`, { text: 'hello' });
    expect([status, body]).toEqual([
      200,
      {
        success: true,
        result: { status: 'complete', results: { echo: { said: 'hello' } } },
        execution_id: expect.any(String),
      },
    ]);
    const shown = await send(`${url}/say/executions/${String(body['execution_id'])}`);
    expect(shown.body).toMatchObject({
      task_name: 'say',
      namespace_name: 'talk',
      version: '3.0.0',
      status: 'completed',
      steps: [
        {
          name: 'echo',
          type: 'standard',
          status: 'complete',
          handler: 'echo',
          handler_version: '1.2.0',
          attempts: 1,
          result: { said: 'hello' },
        },
      ],
    });
    expect(shown.body).not.toHaveProperty('stages');
    const list = await until(async () => {
      const { body: listed } = await send(`${url}/say/executions`);
      const executions = listed['executions'] as unknown[];
      return executions.length > 0 ? executions : undefined;
    });
    expect(list[0]).toMatchObject({ task_name: 'say', status: 'completed' });
  });

  it('refuse an input that is not as the template says, with the path of each wrong property', async () => {
    const { status, body } = await post(`${url}/say`, { text: 7 });
    expect([status, body]).toMatchObject([
      422,
      {
        type: 'contract_violation',
        error: "Property 'text' expected string, got 7",
        violations: [{ path: 'text', got: '7' }],
      },
    ]);
    expect((await post(`${url}/say`, {})).body['error']).toBe("Property 'text' is required");
  });

  it('tell of a failure which step it was', async () => {
    const { status, body } = await post(`${url}/fail`);
    expect([status, body]).toMatchObject([
      500,
      {
        success: false,
        type: 'execution_error',
        code: 'CardDeclined',
        step: 'charge',
        error: 'Step "charge" failed: no funds',
      },
    ]);
  });

  it('stream their events', async () => {
    const response = await fetch(`${url}/say/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'hello' }),
    });
    const text = await response.text();
    expect([...text.matchAll(/^event: (.*)$/gm)].map(([, type]) => type)).toEqual([
      'task_started',
      'step_started',
      'step_completed',
      'complete',
    ]);
  });

  it('are not found among pipelines, nor pipelines among tasks', async () => {
    expect((await post(`${root}/pipelines/say`, { text: 'x' })).body).toMatchObject({
      type: 'not_found',
      error: 'Pipeline not found: say',
    });
    expect(await post(`${url}/report`, { text: 'x' })).toMatchObject({
      status: 404,
      body: { error: 'Task not found: report' },
    });
    expect(await post(`${url}/nothing`)).toMatchObject({
      status: 404,
      body: { error: 'Task not found: nothing' },
    });
  });

  it('have a failed step resolved, with a result that fits and a reason', async () => {
    const execution = await started('pay');
    await untilStep(execution, 'charge', 'error');
    const step = `${root}${execution}/steps/charge`;
    expect(await post(`${step}/resolve`, { result: { paid: true } })).toMatchObject({
      status: 422,
      body: { error: 'reason must say why, in at most 1000 characters.' },
    });
    expect(
      await post(`${step}/resolve`, { result: { paid: 'yes' }, reason: 'cash' }),
    ).toMatchObject({
      status: 422,
      body: {
        type: 'contract_violation',
        error: 'The result does not fit result_schema of step "charge": paid must be boolean',
      },
    });
    const cash = { result: { paid: true }, reason: 'paid in cash' };
    expect(await post(`${step}/resolve`, { ...cash, branches: 'receipt' })).toMatchObject({
      status: 422,
      body: {
        error:
          'branches must be a list of names of steps, and ranges one of { "start": 0, "end": 100 }.',
      },
    });
    expect(await post(`${step}/resolve`, { ...cash, branches: ['receipt'] })).toMatchObject({
      status: 422,
      body: { error: 'branches are for decisions: step "charge" is standard.' },
    });
    expect(await post(`${step}/resolve`, cash)).toMatchObject({
      status: 202,
      body: { step: 'charge', status_url: execution },
    });
    const done = await untilStep(execution, 'receipt', 'complete');
    expect(done.body['steps']).toMatchObject([
      { status: 'resolved_manually', reason: 'paid in cash', result: { paid: true } },
      { status: 'complete' },
    ]);
    await until(async () =>
      (await send(`${root}${execution}`)).body['status'] === 'completed' ? true : undefined,
    );
    expect((await send(`${root}${execution}`)).body['result']).toMatchObject({
      status: 'resolved_manually',
    });
    expect(await post(`${step}/retry`)).toMatchObject({
      status: 409,
      body: { type: 'step_refused', reason: 'task_is_over', step_status: 'resolved_manually' },
    });
  });

  it('refuse what cannot be done with a step, and say why', async () => {
    const execution = await started('pay');
    await untilStep(execution, 'charge', 'error');
    const steps = `${root}${execution}/steps`;
    expect(await post(`${steps}/nowhere/retry`)).toMatchObject({
      status: 404,
      body: { error: 'Step not found: nowhere' },
    });
    expect(await post(`${steps}/receipt/retry`)).toMatchObject({
      status: 409,
      body: { reason: 'not_failed', error: 'Step "receipt" has not failed: it is blocked.' },
    });
    expect(await post(`${steps}/charge/approve`)).toMatchObject({
      status: 409,
      body: { reason: 'not_waiting' },
    });
    expect(await post(`${steps}/charge/retry`)).toMatchObject({ status: 202 });
    expect(await post(`${root}${execution}/cancel`)).toMatchObject({ status: 202 });
    expect(await post(`${root}/pipelines/report/executions/x/steps/a/retry`)).toMatchObject({
      status: 404,
    });
  });

  it('wait for an approval, and take its answer', async () => {
    const execution = await started('ask', { text: 'hi' });
    await untilStep(execution, 'check', 'in_progress');
    const step = `${root}${execution}/steps/check`;
    expect(await post(`${step}/approve`, { result: {} })).toMatchObject({
      status: 422,
      body: { type: 'contract_violation' },
    });
    expect(await post(`${step}/approve`, { result: { by: 'ada' } })).toMatchObject({ status: 202 });
    await untilStep(execution, 'echo', 'complete');
    const rejected = await started('ask');
    await untilStep(rejected, 'check', 'in_progress');
    await post(`${root}${rejected}/steps/check/reject`, { reason: 'too dear' });
    const { body } = await untilStep(rejected, 'check', 'error');
    expect(body['steps']).toMatchObject([{ error: { type: 'ApprovalRejected' } }, {}]);
  });

  it('of a strict identity run once for an input, and say which run that was', async () => {
    const input = { text: 'a', nested: { b: 1, a: [2] } };
    const first = await post(`${url}/once`, input);
    expect(first.status).toBe(200);
    const id = first.body['execution_id'];
    const again = await post(`${url}/once`, { nested: { a: [2], b: 1 }, text: 'a' });
    expect(again).toMatchObject({
      status: 409,
      body: { type: 'duplicate_task', execution_id: id },
    });
    const attached = await post(`${url}/once`, input, { 'Idempotency-Key': 'k1' });
    expect(attached).toMatchObject({ status: 200, body: { execution_id: id } });
    expect(attached.headers.get('idempotency-replayed')).toBe('true');
    expect((await post(`${url}/once`, { text: 'b' })).status).toBe(200);
  });

  it('of an identity that callers provide run once for a key', async () => {
    expect(await post(`${url}/keyed`)).toMatchObject({
      status: 422,
      body: { error: expect.stringContaining('identity_key') },
    });
    const first = await post(`${url}/keyed?identity_key=order-7`, { text: 'a' });
    expect(first.status).toBe(200);
    const again = await post(`${url}/keyed?identity_key=order-7`, { text: 'b' });
    expect(again).toMatchObject({
      status: 409,
      body: { type: 'duplicate_task', execution_id: first.body['execution_id'] },
    });
    expect(
      await post(`${url}/keyed?identity_key=order-7`, { text: 'b' }, { 'Idempotency-Key': 'k' }),
    ).toMatchObject({ status: 422, body: { type: 'idempotency_conflict' } });
    expect((await post(`${url}/keyed?identity_key=order-8`)).status).toBe(200);
  });

  it('that a limit has set aside are listed with its reason, and start again once', async () => {
    const { body } = await post(`${url}/overdue`, { text: 'a' });
    expect(body).toMatchObject({ type: 'timeout' });
    const id = String(body['execution_id']);
    const dead = await until(async () => {
      const { body: listed } = await send(`${url}/overdue/dead_letters`);
      const executions = listed['executions'] as Record<string, unknown>[];
      return executions.find((one) => one['execution_id'] === id);
    });
    expect(dead).toMatchObject({
      task_name: 'overdue',
      dead_letter: expect.stringMatching(/^timeout: /),
    });
    const again = await post(`${url}/overdue/executions/${id}/requeue`);
    expect(again).toMatchObject({ status: 202, body: { requeues: id } });
    const other = String(again.body['execution_id']);
    expect(other).not.toBe(id);
    const repeated = await post(`${url}/overdue/executions/${id}/requeue`);
    expect(repeated).toMatchObject({ status: 202, body: { execution_id: other } });
    expect(repeated.headers.get('idempotency-replayed')).toBe('true');
    const said = await post(`${url}/say`, { text: 'x' });
    const refused = `${url}/say/executions/${String(said.body['execution_id'])}/requeue`;
    expect(await post(refused)).toMatchObject({ status: 409, body: { type: 'no_dead_letter' } });
    expect(await post(`${url}/overdue/executions/nothing/requeue`)).toMatchObject({ status: 404 });
  });

  it('are described by a document that their answers fit', async () => {
    const { body: document } = await send(`${root}/openapi.json`);
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ ...document, $id: 'https://millrace.test/' });
    const expectValid = (schema: string, value: unknown): void => {
      const validate = ajv.compile({
        $ref: `https://millrace.test/#/components/schemas/${schema}`,
      });
      validate(value);
      expect({ schema, errors: validate.errors }).toEqual({ schema, errors: null });
    };
    expectValid('TaskList', (await send(url)).body);
    expectValid('Task', (await send(`${url}/ask`)).body);
    const execution = await started('pay');
    const { body } = await untilStep(execution, 'charge', 'error');
    expectValid('TaskExecution', body);
    expectValid('say.output', (await post(`${url}/say`, { text: 'x' })).body['result']);
    const refused = await post(`${root}${execution}/steps/receipt/retry`);
    expectValid('Problem', refused.body);
    expectValid('TaskExecutionList', (await send(`${url}/overdue/dead_letters`)).body);
    expectValid('StepAccepted', (await post(`${root}${execution}/steps/charge/retry`)).body);
    await post(`${root}${execution}/cancel`);
  });
});
