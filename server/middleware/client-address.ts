import type { IncomingMessage } from 'node:http';
import proxyAddr from 'proxy-addr';

/** Tells from which address a request comes. */
export type ClientAddress = (request: IncomingMessage) => string;

/**
 * The address of a request's client: that of the connection, unless the connection comes from a proxy that is trusted. Then it
 * is the last address in `X-Forwarded-For` that is none of a trusted proxy; what stands before that may be made up.
 *
 * @param proxies - addresses, ranges, or `loopback`, `linklocal`, `uniquelocal`
 * @throws TypeError for an address that is none
 */
export function clientAddress(proxies: readonly string[]): ClientAddress {
  if (proxies.length === 0) return peerAddress;
  const trust = proxyAddr.compile([...proxies]);
  return (request) => proxyAddr(request, trust);
}

function peerAddress({ socket }: IncomingMessage): string {
  // Of a connection that is closed already, Node no longer knows.
  return socket.remoteAddress ?? '';
}
