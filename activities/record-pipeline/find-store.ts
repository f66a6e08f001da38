import { HOST } from '../../adapters/record-store/store-machine.js';
import type { SqliteStore } from '../../adapters/record-store/sqlite-store.js';
import { storeQueue, type StorePlace } from '../../src/record-pipeline/plan.js';
import { isInUse, type KnownStore } from '../../src/record-pipeline/store-catalog.js';
import type { ActivityDependencies } from '../dependencies.js';
import { applicationFailure, failureOf } from '../failure.js';
import { recordCode, storeFailure } from './record-code.js';

/**
 * Says where the store of a pipeline is: here, or on the machine that the catalog knows. It is made here where there is none yet.
 * One that has gone from this machine is made anew; one that has gone together with its machine is waited for, until somebody
 * says that it is to be forgotten.
 */
export async function findStore(deps: ActivityDependencies, pipeline: string): Promise<StorePlace> {
  try {
    const { store } = recordCode(deps, pipeline);
    const catalog = await deps.stores?.catalog?.();
    if (catalog === undefined) return placeOf(await opened(deps, store));
    const known = await catalog.find(pipeline);
    if (known === undefined)
      return placeOf(await catalog.claim(pipeline, await opened(deps, store)));
    if (isElsewhere(known, store)) return placeOf(known);
    const here = await opened(deps, store);
    await catalog.note(pipeline, here);
    return placeOf(here);
  } catch (error) {
    throw applicationFailure(failureOf(storeFailure(error)), error);
  }
}

/** A store with the id that is known may have come to another machine, on a disk that was taken there; or it is a copy. */
function isElsewhere(known: KnownStore, store: SqliteStore): boolean {
  if (known.host === HOST) return false;
  return !store.exists || store.id !== known.id || isInUse(known, new Date());
}

async function opened({ stores }: ActivityDependencies, store: SqliteStore): Promise<KnownStore> {
  // Somebody has removed its folder: what this process has open is a file that nobody else sees.
  if (!store.exists) store.close();
  const { id, dir } = store;
  await stores?.serve(store);
  return { id, dir, host: HOST, seenAt: new Date() };
}

function placeOf({ id, host }: KnownStore): StorePlace {
  return { id, taskQueue: storeQueue(id), host };
}
