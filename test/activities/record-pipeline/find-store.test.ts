import { existsSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { openCatalog, type Catalog } from '../../../adapters/catalog/open-catalog.js';
import { coreOf } from '../../../adapters/record-store/define-store.js';
import type { SqliteStore } from '../../../adapters/record-store/sqlite-store.js';
import { findStore } from '../../../activities/record-pipeline/find-store.js';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import { DeployedCode } from '../../../engine/deployed-code.js';
import { definedProject } from '../../../engine/project/defined-project.js';
import { NO_SERVICES } from '../../../src/pipeline/context.js';
import { storeQueue } from '../../../src/record-pipeline/plan.js';
import { defineRecordPipeline, step } from '../../../src/record-pipeline/record-pipeline.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { staffIn } from './staff-store.js';

const ELSEWHERE = {
  id: '01M8B0000000000000000THERE',
  host: 'a-machine-far-away',
  dir: '/data',
  seenAt: new Date('2026-11-26T08:00:00Z'),
};

describe('looking for the store of a pipeline', () => {
  const folder = useTemporaryDirectory();
  let catalog: Catalog;
  let served: SqliteStore[];
  beforeEach(async () => {
    catalog = await openCatalog({ url: `sqlite:${join(folder.path, 'catalog.db')}` });
    served = [];
  });
  afterEach(() => catalog.close());

  function worker() {
    const store = staffIn(join(folder.path, 'staff'));
    const pipeline = defineRecordPipeline(store, {
      name: 'staff',
      steps: [step({ label: 'fetch', records: (s) => s.company.where({}), each: () => undefined })],
    });
    const { registry } = definedProject(
      { recordPipelines: [pipeline] },
      { dir: folder.path, config: {} },
    );
    const deps: ActivityDependencies = {
      code: new DeployedCode(registry),
      services: NO_SERVICES,
      log: pino({ level: 'silent' }),
      stores: {
        catalog: () => Promise.resolve(catalog.recordStores),
        serve: (it) => {
          served.push(it);
          return Promise.resolve();
        },
      },
    };
    return { store, core: coreOf(store), find: () => findStore(deps, 'staff') };
  }

  it('makes it here where nobody knows of one, serves it, and says so', async () => {
    const { core, find } = worker();
    expect(core.exists).toBe(false);
    const place = await find();
    expect(place).toEqual({ id: core.id, taskQueue: storeQueue(core.id), host: hostname() });
    expect(served).toEqual([core]);
    expect(await catalog.recordStores.find('staff')).toMatchObject({ id: core.id, dir: core.dir });
    expect(await find()).toEqual(place);
    core.close();
  });

  it('waits for the machine that has it, and makes none beside it', async () => {
    await catalog.recordStores.note('staff', ELSEWHERE);
    const { core, find } = worker();
    expect(await find()).toEqual({
      id: ELSEWHERE.id,
      taskQueue: storeQueue(ELSEWHERE.id),
      host: ELSEWHERE.host,
    });
    expect(existsSync(core.dir)).toBe(false);
    expect(served).toEqual([]);
    await catalog.recordStores.forget('staff');
    expect(await find()).toMatchObject({ id: core.id });
    core.close();
  });

  it('finds one that has come here from another machine', async () => {
    const { core, find } = worker();
    await catalog.recordStores.note('staff', { ...ELSEWHERE, id: core.id });
    expect(await find()).toMatchObject({ id: core.id, host: hostname() });
    expect(await catalog.recordStores.find('staff')).toMatchObject({ host: hostname() });
    core.close();
  });

  it('takes one for a copy while the other machine uses it', async () => {
    const { core, find } = worker();
    const { id } = core;
    await catalog.recordStores.note('staff', { ...ELSEWHERE, id, seenAt: new Date() });
    expect(await find()).toEqual({ id, taskQueue: storeQueue(id), host: ELSEWHERE.host });
    expect(served).toEqual([]);
    core.close();
  });

  it('begins anew where somebody has removed it', async () => {
    const { core, store, find } = worker();
    store.company.create({ name: 'Acme' });
    const { id } = await find();
    rmSync(core.dir, { recursive: true });
    const place = await find();
    expect(place.id).not.toBe(id);
    expect(store.company.count()).toBe(0);
    expect(await catalog.recordStores.find('staff')).toMatchObject({ id: place.id });
    core.close();
  });
});
