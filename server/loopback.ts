import ipaddr from 'ipaddr.js';

/** True for names and addresses that only this machine reaches: `localhost`, `app.localhost` (RFC 6761), `127.0.0.1`, `[::1]`. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (address === 'localhost' || address.endsWith('.localhost')) return true;
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}
