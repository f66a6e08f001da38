import { afterEach, describe, expect, it, jest } from '@jest/globals';
import dns, { type LookupOptions } from 'node:dns';
import { useWebhookReceiver } from '../../support/webhook-receiver.js';

/** What the name server of `hooks.example.com` answers, one after the other: whoever owns a name decides that. */
let answers: readonly string[] = [];
let asked = 0;

// No name server can be asked on every machine where this runs, so the system's resolver is stood in for.
jest.unstable_mockModule('node:dns', () => ({
  ...dns,
  default: dns,
  lookup: (
    _name: string,
    options: LookupOptions,
    callback: (error: Error | null, address: unknown, family?: number) => void,
  ) => {
    const address = answers[Math.min(asked, answers.length - 1)] ?? '';
    asked += 1;
    if (options.all === true) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  },
}));

const { WebhookSender } = await import('../../../adapters/webhook/webhook-sender.js');

const receiver = useWebhookReceiver();

afterEach(() => {
  asked = 0;
});

async function send(path: string, ...allow: readonly string[]): Promise<string> {
  const url = receiver.url(path).replace('127.0.0.1', 'hooks.example.com');
  const sender = new WebhookSender({ secrets: [], allow });
  try {
    const message = { url, id: 'run.completed', body: '{}' };
    await sender.send(message, new AbortController().signal);
    return 'delivered';
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  } finally {
    sender.close();
  }
}

describe('a webhook to a name', () => {
  it.each(['127.0.0.1', '10.1.2.3', '169.254.169.254', '0.0.0.0'])(
    'that resolves to %s is refused when it is to be connected to',
    async (address) => {
      answers = [address];
      expect(await send('/named')).toBe('WebhookAddressRefused');
      expect(asked).toBe(1);
      await expect(receiver.deliveries('/named', 1, 50)).rejects.toThrow();
    },
  );

  it('goes to the address that was looked at: nothing is resolved a second time', async () => {
    answers = ['127.0.0.1', '10.1.2.3'];
    expect(await send('/rebound', '127.0.0.0/8')).toBe('delivered');
    expect(asked).toBe(1);
    // The next attempt meets what the name resolves to by then.
    expect(await send('/rebound', '127.0.0.0/8')).toBe('WebhookAddressRefused');
    expect(await receiver.deliveries('/rebound', 1)).toHaveLength(1);
  });
});
