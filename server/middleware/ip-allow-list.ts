import ipaddr from 'ipaddr.js';
import { HttpProblem } from '../http-problem.js';
import { recordOf } from '../request-record.js';
import type { Around } from './chain.js';
import type { ClientAddress } from './client-address.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [Address, number];

/** Bits before the IPv4 address in an IPv6 address that holds one (RFC 4291, 2.5.5.2). */
const MAPPED_BITS = 96;

/**
 * Lets requests from some addresses pass; others are answered with 403, and logged.
 *
 * @param allowed - addresses and CIDR ranges, IPv4 and IPv6
 * @throws TypeError for one that is neither
 */
export function ipAllowList(allowed: readonly string[], addressOf: ClientAddress): Around {
  const isAllowed = addressMatcher(allowed);
  return async (ctx, next) => {
    const address = addressOf(ctx.req);
    if (!isAllowed(address)) {
      recordOf(ctx).log.warn({ address, path: ctx.path }, 'refused: the address is not allowed');
      throw new HttpProblem(403, 'forbidden', 'Forbidden: this address may not use the heartbeat.');
    }
    await next();
  };
}

/** Tells whether an address is one of some, or in one of some ranges. What is no address is not. */
export function addressMatcher(allowed: readonly string[]): (address: string) => boolean {
  const ranges = allowed.map(rangeOf);
  return (text) => {
    if (!ipaddr.isValid(text)) return false;
    // A socket that takes both families tells IPv4 clients as ::ffff:10.0.0.1.
    const address = ipaddr.process(text);
    return ranges.some(([start, bits]) => contains(address, start, bits));
  };
}

function contains(address: Address, start: Address, bits: number): boolean {
  if (address instanceof ipaddr.IPv4)
    return start instanceof ipaddr.IPv4 && address.match(start, bits);
  return start instanceof ipaddr.IPv6 && address.match(start, bits);
}

function rangeOf(text: string): Range {
  const isRange = ipaddr.isValidCIDR(text);
  if (!isRange && !ipaddr.isValid(text))
    throw new TypeError(`"${text}" is neither an IP address nor a range such as "10.2.0.0/16".`);
  const [start, bits] = isRange ? ipaddr.parseCIDR(text) : single(ipaddr.parse(text));
  const mapped = start instanceof ipaddr.IPv6 && start.isIPv4MappedAddress();
  return mapped && bits >= MAPPED_BITS
    ? [start.toIPv4Address(), bits - MAPPED_BITS]
    : [start, bits];
}

function single(address: Address): [Address, number] {
  return [address, address instanceof ipaddr.IPv4 ? 32 : 128];
}
