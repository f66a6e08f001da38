import type { Context } from 'koa';
import type { Run } from '../engine/run.js';
import { recordOf } from './request-record.js';

/**
 * A signal that is aborted when the client of a request has left before its response was complete.
 */
export function departureOf(ctx: Context): AbortSignal {
  const departure = new AbortController();
  const { res } = ctx;
  const onClose = (): void => {
    if (!res.writableFinished) departure.abort(new Error('the client left'));
  };
  res.once('close', onClose);
  // It may have left while the run was being started.
  if (ctx.req.socket.destroyed) onClose();
  return departure.signal;
}

/**
 * Cancels a run when the client leaves, where the client asked for that. A server that stops has not been left.
 */
export function cancelWhenLeft(
  ctx: Context,
  departure: AbortSignal,
  run: Run,
  stop: AbortSignal,
): void {
  const cancel = (): void => {
    if (stop.aborted) return;
    const { log } = recordOf(ctx);
    run.cancel().then(
      () => {
        log.info({ executionId: run.executionId }, 'cancelled: the client left');
      },
      (error: unknown) => {
        log.warn(
          { err: error, executionId: run.executionId },
          'the client left, but the run could not be cancelled',
        );
      },
    );
  };
  if (departure.aborted) cancel();
  else departure.addEventListener('abort', cancel, { once: true });
}
