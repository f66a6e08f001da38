import type { ApiAuthentication } from '../src/config/hooks.js';
import { authentication } from './middleware/authentication.js';
import type { Around } from './middleware/chain.js';
import { clientAddress } from './middleware/client-address.js';
import {
  heartbeatAuthentication,
  type HeartbeatToken,
} from './middleware/heartbeat-authentication.js';
import { ipAllowList } from './middleware/ip-allow-list.js';

/** Who may send heartbeats. */
export interface HeartbeatGuards {
  /** Only with this token, which then decides alone: an external cron has no session. */
  readonly token?: HeartbeatToken;
  /** Asked where there is no token. */
  readonly apiAuthentication?: ApiAuthentication;
  /** Only from these addresses and ranges. */
  readonly allowedIps?: readonly string[];
  /** Proxies whose `X-Forwarded-For` is believed. */
  readonly trustProxy: readonly string[];
}

/**
 * What stands before the heartbeat: the list of addresses first, so that who is not on it learns nothing about tokens.
 *
 * @throws {@link HeartbeatTokenInvalid}; TypeError for an address that is none
 */
export function heartbeatGuards({
  token,
  apiAuthentication,
  allowedIps,
  trustProxy,
}: HeartbeatGuards): readonly Around[] {
  const addressOf = clientAddress(trustProxy);
  return [
    ...(allowedIps === undefined ? [] : [ipAllowList(allowedIps, addressOf)]),
    ...(token === undefined ? [] : [heartbeatAuthentication(token, addressOf)]),
    ...(token === undefined && apiAuthentication !== undefined
      ? [authentication(apiAuthentication)]
      : []),
  ];
}
