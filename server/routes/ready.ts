import { readinessOf, type Readiness, type WorkerState } from '../../engine/readiness.js';
import type { Handler } from '../middleware/chain.js';

/** A worker as probes see it. */
export interface ProbedWorker {
  readonly state: WorkerState;
  readiness(): Promise<Readiness>;
}

/** What `GET /ready` tells of. */
export interface ReadyOptions {
  /** What can tell whether it is ready: an engine, a worker, or both. */
  readonly parts: readonly Pick<ProbedWorker, 'readiness'>[];
  /** Aborted when the process is told to stop. */
  readonly stop?: AbortSignal;
}

/** `GET /ready`: the process takes work and reaches what it needs, or 503 and what is missing. */
export function ready({ parts, stop }: ReadyOptions): Handler {
  return async (ctx) => {
    const answers = await Promise.all(parts.map((part) => part.readiness()));
    const readiness = readinessOf(
      answers.reduce<Readiness['parts']>((all, answer) => ({ ...all, ...answer.parts }), {}),
    );
    const status = statusOf(readiness, stop?.aborted === true);
    ctx.status = status === 'ready' ? 200 : 503;
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { status, parts: readiness.parts };
  };
}

function statusOf(
  { ready: isReady, parts: { worker } }: Readiness,
  isStopping: boolean,
): 'ready' | 'starting' | 'draining' | 'unavailable' {
  if (isStopping || worker === 'draining') return 'draining';
  if (worker === 'starting') return 'starting';
  return isReady ? 'ready' : 'unavailable';
}
