import { afterEach, describe, expect, it } from '@jest/globals';
import { WebhookAddressRefused } from '../../../adapters/webhook/webhook-address.js';
import { WebhookRejected, WebhookSender } from '../../../adapters/webhook/webhook-sender.js';
import { useWebhookReceiver } from '../../support/webhook-receiver.js';

const receiver = useWebhookReceiver();
const open: WebhookSender[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function sender(...allow: readonly string[]): WebhookSender {
  const created = new WebhookSender({ secrets: [], allow });
  open.push(created);
  return created;
}

async function send(from: WebhookSender, url: string): Promise<unknown> {
  const message = { url, id: 'run.completed', body: '{}' };
  return from.send(message, new AbortController().signal).then(
    () => 'delivered',
    (error: unknown) => error,
  );
}

function port(): string {
  return new URL(receiver.url('/')).port;
}

describe('where a webhook may not go', () => {
  it.each([
    'localhost',
    '127.0.0.1',
    '127.1',
    '0x7f000001',
    '2130706433',
    '0.0.0.0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '10.0.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '[fd00::1]',
    '[64:ff9b::7f00:1]',
  ])('%s is refused', async (host) => {
    const refused = await send(sender(), `http://${host}:${port()}/refused`);
    expect(refused).toBeInstanceOf(WebhookAddressRefused);
    await expect(receiver.deliveries('/refused', 1, 50)).rejects.toThrow();
  });

  it('is only what the ranges leave out: others stay refused', async () => {
    expect(await send(sender('127.0.0.0/8'), receiver.url('/allowed'))).toBe('delivered');
    expect(await send(sender('10.0.0.0/8'), receiver.url('/allowed'))).toBeInstanceOf(
      WebhookAddressRefused,
    );
    expect(await receiver.deliveries('/allowed', 1)).toHaveLength(1);
  });

  it.each(['ftp://example.com/', 'file:///etc/passwd', 'nonsense'])('%s is none', async (url) => {
    expect(await send(sender('private'), url)).toBeInstanceOf(WebhookAddressRefused);
  });
});

describe('a delivery', () => {
  it('keeps the query of its address as it is', async () => {
    const path = '/hook?token=a%2Fb&empty=&x=1&x=2';
    expect(await send(sender('private'), receiver.url(path))).toBe('delivered');
    expect(await receiver.deliveries(path, 1)).toHaveLength(1);
  });

  it.each([301, 302, 307, 308])('is rejected by a redirect with %d', async (status) => {
    receiver.answer('/moved', status);
    const rejected = await send(sender('private'), receiver.url('/moved'));
    expect(rejected).toBeInstanceOf(WebhookRejected);
    expect(rejected).toMatchObject({ status });
    await expect(receiver.deliveries('/elsewhere', 1, 50)).rejects.toThrow();
  });

  it('is told when to come again, in seconds or as a date, and ignores what is neither', async () => {
    const at = new Date(Date.now() + 90_000).toUTCString();
    for (const [header, lowest, highest] of [
      ['7', 7_000, 7_000],
      [at, 80_000, 90_000],
    ] as const) {
      receiver.answer('/later', { status: 503, headers: { 'retry-after': header } });
      const rejected = await send(sender('private'), receiver.url('/later'));
      expect(rejected).toBeInstanceOf(WebhookRejected);
      const { retryAfterMs = 0 } = rejected as WebhookRejected;
      expect(retryAfterMs).toBeGreaterThanOrEqual(lowest);
      expect(retryAfterMs).toBeLessThanOrEqual(highest);
    }
    for (const header of ['soon', '-5', '0', new Date(0).toUTCString()]) {
      receiver.answer('/later', { status: 429, headers: { 'retry-after': header } });
      const rejected = await send(sender('private'), receiver.url('/later'));
      expect(rejected).toMatchObject({ status: 429, retryAfterMs: undefined });
    }
  });

  it('is broken off when it is cancelled while the receiver says nothing', async () => {
    receiver.answer('/silent', { status: 200, silent: true });
    const stop = new AbortController();
    const message = { url: receiver.url('/silent'), id: 'run.completed', body: '{}' };
    const sending = sender('private').send(message, stop.signal);
    await receiver.deliveries('/silent', 1);
    stop.abort();
    await expect(sending).rejects.toThrow(/abort/i);
  });
});
