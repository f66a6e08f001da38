import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { configuredTemporal } from '../../engine/connection.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { projectOf, readPage } from './page.js';

const PAGE = 'docs/production.md';

const temporary = useTemporaryDirectory();

describe(PAGE, () => {
  it('shows a temporal.toml with two profiles that are understood', async () => {
    const file = join(temporary.path, 'temporal.toml');
    await writeFile(file, projectOf(PAGE)['temporal.toml'] ?? '');
    const env = { TEMPORAL_CONFIG_FILE: file };
    expect(configuredTemporal({}, env)).toMatchObject({
      address: '127.0.0.1:7233',
      namespace: 'default',
    });
    expect(configuredTemporal({}, { ...env, TEMPORAL_PROFILE: 'cloud' })).toMatchObject({
      address: 'my-namespace.a1b2c.tmprl.cloud:7233',
      namespace: 'my-namespace.a1b2c',
      credentials: { apiKey: '…', tls: true },
      uiUrl: 'https://cloud.temporal.io',
    });
  });

  it('names variables that have the effect that it tells', async () => {
    const file = join(temporary.path, 'temporal.toml');
    await writeFile(file, '[profile.default]\n');
    const told = [...readPage(PAGE).matchAll(/`(TEMPORAL_[A-Z_]+)`/g)].map(([, name]) => name);
    expect(told).toEqual(
      expect.arrayContaining(['TEMPORAL_ADDRESS', 'TEMPORAL_API_KEY', 'TEMPORAL_TLS']),
    );
    const env = {
      TEMPORAL_ADDRESS: 'a:1',
      TEMPORAL_NAMESPACE: 'n',
      TEMPORAL_API_KEY: 'k',
      TEMPORAL_CONFIG_FILE: file,
    };
    expect(configuredTemporal({}, env)).toMatchObject({
      address: 'a:1',
      namespace: 'n',
      credentials: { apiKey: 'k' },
    });
    const { credentials } = configuredTemporal({}, { ...env, TEMPORAL_TLS_SERVER_NAME: 's' }) ?? {};
    expect(credentials).toMatchObject({ tls: { serverNameOverride: 's' } });
  });
});
