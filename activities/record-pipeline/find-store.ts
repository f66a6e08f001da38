import { hostname } from 'node:os';
import { storeQueue, type StorePlace } from '../../src/record-pipeline/plan.js';
import type { ActivityDependencies } from '../dependencies.js';
import { applicationFailure, failureOf } from '../failure.js';
import { recordCode, storeFailure } from './record-code.js';

/** Says where the store of a pipeline is. It is made where there is none yet. */
export function findStore(deps: ActivityDependencies, pipeline: string): StorePlace {
  try {
    const { store } = recordCode(deps, pipeline);
    return { id: store.id, taskQueue: storeQueue(store.id), host: hostname() };
  } catch (error) {
    throw applicationFailure(failureOf(storeFailure(error)), error);
  }
}
