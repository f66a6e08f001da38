import type { TemporalSettings } from '../src/config/config.js';
import { NoTemporalServer } from './connection-errors.js';
import { configuredTemporal, type ConnectionSettings } from './connection.js';
import { findDev, type DevAddresses } from './dev-server/dev-record.js';
import type { Environment } from './project/secrets.js';

/**
 * The Temporal server that a project's runs are on: the configured one, else that of the `millrace dev` which runs there.
 *
 * @throws {@link NoTemporalServer}, {@link TemporalSettingsInvalid}
 */
export async function findTemporal(
  dir: string,
  temporal: TemporalSettings,
  env: Environment,
): Promise<ConnectionSettings> {
  const configured = configuredTemporal(temporal, env);
  const dev = await findDev(dir);
  if (configured !== undefined) return withKnownUi(configured, dev);
  if (dev === undefined || !dev.temporal.embedded) throw new NoTemporalServer(dir);
  return embeddedSettings(dev.temporal);
}

/** How to reach a server that `millrace dev` has started: on this machine, and open to whoever is on it. */
export function embeddedSettings({
  address,
  namespace,
  uiUrl,
}: Omit<DevAddresses['temporal'], 'embedded'>): ConnectionSettings {
  return { address, namespace, credentials: {}, ...(uiUrl !== undefined && { uiUrl }) };
}

/** Settings say nothing about the UI of a server that runs here; the process that started it knows. */
function withKnownUi(
  settings: ConnectionSettings,
  dev: DevAddresses | undefined,
): ConnectionSettings {
  const uiUrl = dev?.temporal.address === settings.address ? dev.temporal.uiUrl : undefined;
  return settings.uiUrl !== undefined || uiUrl === undefined ? settings : { ...settings, uiUrl };
}
