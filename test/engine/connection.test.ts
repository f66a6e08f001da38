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

  it('is not guessed from a temporal.toml that is wrong: the file, what is wrong, what to do', async () => {
    const file = join(dir.path, 'temporal.toml');
    const message = async (text: string, profile?: string): Promise<string> => {
      await writeFile(file, text);
      try {
        configuredTemporal(profile === undefined ? {} : { profile }, {
          TEMPORAL_CONFIG_FILE: file,
        });
        return '';
      } catch (error) {
        expect(error).toMatchObject({ name: 'TemporalSettingsInvalid', file });
        const start = `The settings for Temporal cannot be used: ${file}: `;
        // It was just found to be an error.
        const said = (error as Error).message;
        expect(said.slice(0, start.length)).toBe(start);
        return said.slice(start.length);
      }
    };
    const example = 'Write one: [profile.default], and below it address = "127.0.0.1:7233".';
    expect(await message('')).toBe(`it has no profile. ${example}`);
    expect(await message('address = "x:1"\n')).toBe(`it has no profile. ${example}`);
    expect(await message('[profile.default]\napi_key = sk-secret\n')).toMatch(
      /^it is no TOML: [^\n]*\(line 2\)\.$/,
    );
    expect(await message('[profile.cloud]\naddress = "x:1"\n', 'clod')).toBe(
      'it has no profile "clod" (TEMPORAL_PROFILE, or `temporal.profile` in millrace.config.ts). Did you mean "cloud"?',
    );
    expect(await message('[profile.default]\naddress = 7233\n')).toBe(
      '"address" of profile "default" is a number. Write it in quotes.',
    );
    expect(
      await message('[profile.default.tls]\nclient_cert_path = "/nowhere/cert.pem"\n'),
    ).toContain('names cannot be read: ENOENT');
  });

  it('is not guessed where the file cannot be read, or is missing while a profile is asked for', () => {
    expect(() => configuredTemporal({}, { TEMPORAL_CONFIG_FILE: dir.path })).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(`${dir.path}: it cannot be read: EISDIR`),
      }),
    );
    expect(() => configuredTemporal({ profile: 'cloud' }, BARE)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(
          '/nowhere/temporal.toml: there is no such file, and so no profile "cloud"',
        ),
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
