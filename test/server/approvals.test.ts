import { Validator } from '@seriousme/openapi-schema-validator';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ApprovalLinks, ApprovalSecretInvalid } from '../../adapters/approval/approval-links.js';
import type { Run } from '../../engine/run.js';
import { createApp } from '../../server/app.js';
import { defineStepHandler } from '../../src/task/handler.js';
import { success } from '../../src/task/step-result.js';
import { defineTask } from '../../src/task/task.js';
import { configOf, post, send, useServers } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { statesOf, stepsOfRun } from '../support/tasks.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();

const SECRET = 'a secret that is long enough for links';
const links = new ApprovalLinks({ secrets: [SECRET], url: 'https://jobs.example.com/' });

const mail = defineStepHandler({
  name: 'mail',
  run: async ({ approvalUrl }) => success({ link: await approvalUrl('check') }),
});
const ship = defineStepHandler({
  name: 'ship',
  run: ({ getDependencyResult }) => success(getDependencyResult('check') ?? null),
});

const tasks = [
  defineTask({
    name: 'asked',
    steps: [
      { name: 'mail', handler: mail },
      {
        name: 'check',
        type: 'approval',
        dependencies: ['mail'],
        resultSchema: { type: 'object', required: ['note'] },
      },
      { name: 'ship', handler: ship, dependencies: ['check'] },
    ],
  }),
];

describe('links of approvals', () => {
  const stack = useSharedStack(temporal, () => ({ tasks, approvals: links }));
  const serve = useServers();
  let url: string;

  beforeEach(async () => {
    const config = {
      apiAuthentication: () => false as const,
      approvals: { secret: '${APPROVAL_SECRET}', url: 'https://jobs.example.com' },
    };
    const server = await serve(stack.current.engine, config, { env: { APPROVAL_SECRET: SECRET } });
    ({ url } = server);
  });

  /** A run that waits, and the link that its handler has made. */
  async function asked(): Promise<{ readonly run: Run; readonly link: string }> {
    const run = await stack.current.engine.start('asked', {});
    await until(async () => ((await statesOf(run))['check'] === 'in_progress' ? true : undefined));
    const [mailed] = await stepsOfRun(run);
    const { link } = mailed?.result as { link: string };
    expect(link).toMatch(/^https:\/\/jobs\.example\.com\/approvals\/[\w.-]+$/);
    return { run, link: link.replace('https://jobs.example.com', url) };
  }

  it('say what is asked, and take the answer, from whoever has them', async () => {
    const { run, link } = await asked();
    expect(await send(link)).toMatchObject({
      status: 200,
      body: {
        task_name: 'asked',
        execution_id: run.executionId,
        step: 'check',
        status: 'running',
        step_status: 'in_progress',
      },
    });
    expect(await post(link, { approved: 'yes' })).toMatchObject({ status: 422 });
    expect(await post(link, { approved: true, result: {} })).toMatchObject({
      status: 422,
      body: { type: 'contract_violation' },
    });
    const answer = { approved: true, result: { note: 'fine' }, by: 'ada' };
    expect(await post(link, answer)).toMatchObject({ status: 202, body: { approved: true } });
    expect(await run.result()).toMatchObject({ results: { ship: { note: 'fine' } } });
    expect(await post(link, answer)).toMatchObject({
      status: 409,
      body: { type: 'step_refused', reason: 'task_is_over' },
    });
    expect(await send(link)).toMatchObject({
      body: { status: 'completed', step_status: 'complete', result: { note: 'fine' } },
    });
  });

  it('reject', async () => {
    const { run, link } = await asked();
    await post(link, { approved: false, reason: 'too dear' });
    await expect(run.result()).rejects.toMatchObject({ failure: { type: 'ApprovalRejected' } });
  });

  it('are of no use where they were changed, or signed with another secret', async () => {
    const { run, link } = await asked();
    const [head, payload, signature] = link.split('/approvals/')[1]?.split('.') ?? [];
    const forged = Buffer.from(
      JSON.stringify({
        ...(JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()) as object),
        step: 'mail',
      }),
    ).toString('base64url');
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
    const other = new ApprovalLinks({ secrets: [SECRET.toUpperCase()], url });
    for (const wrong of [
      `${url}/approvals/${String(head)}.${forged}.${String(signature)}`,
      `${url}/approvals/${unsigned}.${String(payload)}.`,
      await other.link({ name: 'asked', executionId: run.executionId, step: 'check' }),
      `${url}/approvals/x`,
    ])
      expect(await post(wrong, { approved: true })).toMatchObject({ status: 404 });
    expect((await statesOf(run))['check']).toBe('in_progress');
    await run.cancel();
  });

  it('are taken with a secret that was changed meanwhile', async () => {
    const target = { name: 'asked', executionId: 'x', step: 'check' };
    const token = (await links.link(target)).split('/approvals/')[1] ?? '';
    const rotated = new ApprovalLinks({ secrets: [SECRET.toUpperCase(), SECRET], url });
    expect(await rotated.target(token)).toEqual(target);
  });

  it('need a secret that is long enough, and are described', async () => {
    expect(() => new ApprovalLinks({ secrets: ['short'], url })).toThrow(ApprovalSecretInvalid);
    const config = configOf({ approvals: { secret: '${S}', url: 'https://jobs.example.com' } });
    expect(() => createApp(stack.current.engine, config)).toThrow(ApprovalSecretInvalid);
    expect(await send(`${url}/approvals/x`, { method: 'PUT' })).toMatchObject({ status: 405 });
    const open = await serve(
      stack.current.engine,
      {
        approvals: { secret: '${S}', url: 'https://jobs.example.com' },
      },
      { env: { S: SECRET } },
    );
    const { body } = await send(`${open.url}/openapi.json`);
    const { valid, errors } = await new Validator().validate(structuredClone(body));
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
    expect(body['paths']).toHaveProperty('/approvals/{token}');
  });
});

describe('a handler without links', () => {
  const stack = useSharedStack(temporal, () => ({ tasks }));

  it('is told what to configure', async () => {
    await expect(stack.current.engine.execute('asked', {})).rejects.toMatchObject({
      failure: {
        step: 'mail',
        attempts: 1,
        message:
          'Step "mail" failed: There are no links for approvals: set approvals: { secret, url } in the configuration.',
      },
    });
  });
});
