import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { configuredTemporal, connectClient, embeddedNamespace } from '../../engine/connection.js';
import { connectWorkerClient } from '../../engine/native-connection.js';
import { useTemporal } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const temporal = useTemporal();
const dir = useTemporaryDirectory();

/** The environment of a machine on which nobody has set anything up. */
const BARE = { TEMPORAL_CONFIG_FILE: '/nowhere/temporal.toml' };

describe('the Temporal server to use', () => {
  it('is none unless somebody names one; a namespace alone names none', () => {
    expect(configuredTemporal({}, BARE)).toBeUndefined();
    expect(configuredTemporal({}, { ...BARE, TEMPORAL_ADDRESS: '' })).toBeUndefined();
    expect(configuredTemporal({ namespace: 'mine' }, BARE)).toBeUndefined();
    expect(embeddedNamespace({ namespace: 'mine' }, BARE)).toBe('mine');
    expect(embeddedNamespace({}, { ...BARE, TEMPORAL_NAMESPACE: 'theirs' })).toBe('theirs');
    expect(embeddedNamespace({}, BARE)).toBe('default');
  });

  it('comes from the config, else from the environment, else from temporal.toml', async () => {
    const file = join(dir.path, 'temporal.toml');
    await writeFile(
      file,
      '[profile.default]\naddress = "toml:1"\nnamespace = "toml"\n[profile.cloud]\naddress = "x.a1.tmprl.cloud:7233"\napi_key = "secret"\n',
    );
    const toml = { TEMPORAL_CONFIG_FILE: file };
    expect(configuredTemporal({}, toml)).toMatchObject({ address: 'toml:1', namespace: 'toml' });
    expect(configuredTemporal({}, { ...toml, TEMPORAL_ADDRESS: 'env:1' })).toMatchObject({
      address: 'env:1',
      namespace: 'toml',
    });
    expect(
      configuredTemporal({ address: 'config:1' }, { ...toml, TEMPORAL_ADDRESS: 'env:1' }),
    ).toMatchObject({ address: 'config:1' });
    expect(configuredTemporal({ profile: 'cloud' }, toml)).toMatchObject({
      address: 'x.a1.tmprl.cloud:7233',
      namespace: 'default',
      uiUrl: 'https://cloud.temporal.io',
      credentials: { apiKey: 'secret', tls: true },
    });
    expect(() => configuredTemporal({ profile: 'nope' }, toml)).toThrow(
      expect.objectContaining({
        name: 'TemporalSettingsInvalid',
        message: expect.stringContaining('nope'),
      }),
    );
  });

  it('is reached by both kinds of connection', async () => {
    const settings = { address: temporal.address, namespace: temporal.namespace, credentials: {} };
    for (const connect of [connectClient, connectWorkerClient]) {
      const { client, close } = await connect(settings);
      expect(client.options.namespace).toBe(temporal.namespace);
      await close();
    }
  });

  it('is told apart from one that does not answer, and from one without the namespace', async () => {
    for (const connect of [connectClient, connectWorkerClient]) {
      await expect(
        connect({ address: '127.0.0.1:9', namespace: 'default', credentials: {} }),
      ).rejects.toMatchObject({
        name: 'TemporalUnreachable',
        address: '127.0.0.1:9',
        message: expect.stringContaining('No Temporal server answers at 127.0.0.1:9'),
      });
      const elsewhere = { address: temporal.address, namespace: 'nowhere', credentials: {} };
      await expect(connect(elsewhere)).rejects.toMatchObject({
        name: 'NamespaceNotFound',
        namespace: 'nowhere',
      });
    }
  }, 30_000);
});
