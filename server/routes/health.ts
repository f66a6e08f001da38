import type { WorkerState } from '../../engine/readiness.js';
import { VERSION } from '../../src/version.js';
import type { Handler } from '../middleware/chain.js';
import type { ProbedWorker } from './ready.js';

/** What `GET /health` tells of. */
export interface HealthOptions {
  /** Whether the process has its definitions. */
  readonly loaded: () => boolean;
  /** A worker in the process. */
  readonly worker?: Pick<ProbedWorker, 'state'>;
}

/** `GET /health`: the process is there, and has its definitions; 503 where only another start helps. It asks no other part. */
export function health({ loaded, worker }: HealthOptions): Handler {
  return (ctx) => {
    const state: WorkerState | undefined = worker?.state;
    if (state === 'failed') ctx.status = 503;
    ctx.body = {
      status: state === 'failed' ? 'failed' : 'ok',
      loaded: loaded(),
      version: VERSION,
      ...(state !== undefined && { worker: state }),
    };
  };
}
