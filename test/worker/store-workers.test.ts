import { hostname } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it, jest } from '@jest/globals';
import pino from 'pino';
import { openCatalog } from '../../adapters/catalog/open-catalog.js';
import { coreOf } from '../../adapters/record-store/define-store.js';
import { createTestEnvironment } from '../../testing/test-environment.js';
import { greeting, usersIn } from '../support/record-stack.js';
import { sharedServerAddress } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';

jest.setTimeout(90_000);

describe('a worker with a copy of a store', () => {
  const folder = useTemporaryDirectory();

  it('leaves its work to the machine that uses the store, and takes it when that has gone', async () => {
    const store = usersIn(join(folder.path, 'store'), ['Ann']);
    const { id } = coreOf(store);
    const url = `sqlite:${join(folder.path, 'catalog.db')}`;
    const catalog = await openCatalog({ url });
    const elsewhere = { id, host: 'mill-2', dir: '/data' };
    const { recordStores } = catalog;
    await recordStores.note('greeting', { ...elsewhere, seenAt: new Date() });
    let logged = '';
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        logged += chunk.toString();
        done();
      },
    });
    const env = await createTestEnvironment({
      recordPipelines: [greeting(store)],
      config: { catalog: { url } },
      log: pino({ level: 'error' }, stream),
      env: { TEMPORAL_ADDRESS: sharedServerAddress() },
    });
    try {
      await until(async () => logged.includes('is a copy of the store') || undefined);
      expect(logged).toContain('has in /data on mill-2, where it is used');
      await recordStores.note('greeting', { ...elsewhere, seenAt: new Date(0) });
      const run = await env.engine.recordPipelines.run('greeting');
      expect(await run.handle.result()).toMatchObject({ completed: 1 });
      expect(await recordStores.find('greeting')).toMatchObject({ id, host: hostname() });
    } finally {
      await env.stop();
      await catalog.close();
      store.close();
    }
  });
});
