import { describe, expect, it, jest } from '@jest/globals';
import { z } from 'zod';
import type { Run } from '../../engine/run.js';
import { defineOperation } from '../../src/pipeline/operation.js';
import { definePipeline } from '../../src/pipeline/pipeline.js';
import { useStacks, type StackDefinitions } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { useWebhookReceiver } from '../support/webhook-receiver.js';

jest.setTimeout(60_000);

const temporal = useTemporal();
const stack = useStacks(temporal);
const receiver = useWebhookReceiver();

const echo = defineOperation({
  name: 'echo',
  reads: z.object({ text: z.string() }),
  sets: z.object({ echoed: z.string() }),
  quick: true,
  run: ({ input }) => ({ echoed: input.text }),
});

const definitions: StackDefinitions = {
  operations: [echo],
  pipelines: [definePipeline({ name: 'echoes', stages: [{ name: 'only', operations: [echo] }] })],
};

/** Starts a run whose webhook goes to a path. */
async function runTelling(path: string, more: StackDefinitions = {}): Promise<Run> {
  const { engine } = await stack({ ...definitions, ...more });
  return engine.start('echoes', { text: 'a' }, { webhookUrl: receiver.url(path) });
}

/** How the delivery's workflow ended, as the Temporal UI shows it: the error's type and message. */
async function deliveryFailure(
  run: Run,
): Promise<{ readonly type: string; readonly message: string }> {
  await run.result();
  const failed = await temporal.client.workflow
    .getHandle(`outcome/${run.id}`)
    .result()
    .then(
      () => undefined,
      (error: unknown) => error as Error,
    );
  const cause = (failed?.cause as Error).cause as Error & { type: string };
  return { type: cause.type, message: cause.message };
}

describe('the delivery of a webhook', () => {
  it('stops for good when the receiver says 410', async () => {
    receiver.answer('/gone', 410);
    const run = await runTelling('/gone');
    expect(await deliveryFailure(run)).toEqual({
      type: 'WebhookRejected',
      message: "The webhook's receiver answered with status 410.",
    });
    expect(await receiver.deliveries('/gone', 1)).toHaveLength(1);
  });

  it.each([
    { form: 'seconds', status: 429, header: () => '2' },
    { form: 'a date', status: 503, header: () => new Date(Date.now() + 3_000).toUTCString() },
  ])('is tried again when a receiver that answers $status says, in $form', async (asked) => {
    const path = `/later/${String(asked.status)}`;
    const header = asked.header();
    receiver.answer(path, { status: asked.status, headers: { 'retry-after': header } });
    await runTelling(path);
    const [first, second] = await receiver.deliveries(path, 2);
    const due = /^\d+$/.test(header) ? first!.at + Number(header) * 1_000 : Date.parse(header);
    // Without the header it is tried again after five seconds. Temporal's timers are exact to a second or so.
    expect(second!.at).toBeGreaterThanOrEqual(due - 100);
    expect(second!.at - first!.at).toBeLessThan(4_700);
    expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id']);
  });

  it('is given up when it has got older than webhooks.maxAge', async () => {
    receiver.answer('/old', 500, 500, 500, 500);
    const run = await runTelling('/old', { webhookMaxAgeMs: 1_000 });
    expect(await deliveryFailure(run)).toEqual({
      type: 'WebhookGivenUp',
      message: expect.stringMatching(
        /^Nobody took it\. Given up after 1 attempts in \d s \(webhooks\.maxAge\)\.$/,
      ),
    });
    expect(await receiver.deliveries('/old', 1)).toHaveLength(1);
  });

  it('is given up at once when the receiver asks for a time after webhooks.maxAge', async () => {
    receiver.answer('/later-than-allowed', { status: 503, headers: { 'retry-after': '7200' } });
    const run = await runTelling('/later-than-allowed');
    expect(await deliveryFailure(run)).toEqual({
      type: 'WebhookGivenUp',
      message: expect.stringMatching(/503.* wants to be asked again in 7200 s\. Given up after 1 /),
    });
  });

  it('keeps the query of its address, and follows no redirect', async () => {
    const path = '/hook?token=a%2Fb&x=1&x=2';
    receiver.answer(path, 307);
    await runTelling(path);
    await receiver.deliveries(path, 2);
    await expect(receiver.deliveries('/elsewhere', 1, 50)).rejects.toThrow();
  });
});
