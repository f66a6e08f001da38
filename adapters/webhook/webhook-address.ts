import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** An address that webhooks must not go to, or a URL that is none. */
export class WebhookAddressRefused extends Error {
  override readonly name = 'WebhookAddressRefused';
}

/** A URL that a webhook can be sent to. @throws {@link WebhookAddressRefused} */
export function webhookUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined)
    throw new WebhookAddressRefused(`${JSON.stringify(text.slice(0, 200))} is not a URL.`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new WebhookAddressRefused(
      `A webhook's URL must begin with https: or http:, not with ${url.protocol}`,
    );
  }
  return url;
}

/**
 * Refuses a URL that names an address which is not public, as far as its text tells. What a name resolves to is looked at
 * when a webhook is delivered.
 *
 * @param allow - addresses that are allowed all the same: CIDR ranges, or `private` for all of them
 * @throws {@link WebhookAddressRefused}
 */
export function refuseAddress(url: URL, allow: readonly string[]): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const text = /(^|\.)localhost\.?$/i.test(host) ? '127.0.0.1' : host;
  if (allow.includes('private') || isIP(text) === 0) return;
  const address = ipaddr.process(text);
  const allowed = allow.some((range) => {
    const [network, bits] = ipaddr.parseCIDR(range);
    return network.kind() === address.kind() && address.match(network, bits);
  });
  if (address.range() === 'unicast' || allowed) return;
  throw new WebhookAddressRefused(
    `Webhooks may not go to ${url.host}, which is not a public address (${address.range()}). Allow it in the configuration: webhooks: { allow: [...] }.`,
  );
}
