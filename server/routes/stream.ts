import type { Context } from 'koa';
import type { Api } from '../api-options.js';
import { cancelWhenLeft, departureOf } from '../departure.js';
import { startRequested } from '../run-request.js';
import type { EventStreams } from '../sse.js';

/** `POST /pipelines/:name/stream`: starts a run and tells its events. A wrong input is a 422 before the stream opens. */
export async function executeStream(
  ctx: Context,
  api: Api,
  name: string,
  streams: EventStreams,
): Promise<void> {
  // Asked before the run is started: a stream that cannot be opened must leave no run behind.
  const place = streams.reserve();
  try {
    const { run, cancelOnDisconnect } = await startRequested(ctx, api, name);
    if (cancelOnDisconnect) cancelWhenLeft(ctx, departureOf(ctx), run, api.stop);
    place.open(ctx, run.executionId, (signal) => run.events({ signal, hints: true }));
  } catch (error) {
    place.giveBack();
    throw error;
  }
}
