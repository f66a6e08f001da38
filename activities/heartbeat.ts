import type { Context } from '@temporalio/activity';
import type { Json } from '../src/definition/json.js';
import type { Progress } from '../src/pipeline/context.js';
import type { HandedBack } from '../src/pipeline/operation-task.js';

/** What a heartbeat carries: shown to watchers, and given to the next attempt. */
export interface HeartbeatDetails {
  readonly progress?: Progress;
  readonly checkpoint?: Json;
}

/** Heartbeats of one attempt. */
export interface Heartbeat {
  /** What the body kept last, or was given. */
  readonly checkpoint: () => Json | undefined;
  /** A body's own heartbeat. The SDK sends at most one a second. */
  readonly beat: (progress: Progress, checkpoint?: Json) => void;
}

/** Heartbeats that come by themselves, too. */
export interface StartedHeartbeat extends Heartbeat {
  readonly stop: () => void;
}

/** Beats in each heartbeat timeout, so that one that is late or lost does no harm. */
const BEATS_PER_TIMEOUT = 4;

/**
 * Beats for a body that does not do so itself: the server learns of a lost worker within the heartbeat timeout, and the
 * body of a cancelled run. A body that blocks the event loop for longer is taken for lost, too.
 */
export function startHeartbeat(activity: Context, handedBack?: HandedBack): StartedHeartbeat {
  const { heartbeatTimeoutMs } = activity.info;
  const heartbeat = heartbeatOf(activity, handedBack);
  const timer =
    heartbeatTimeoutMs === undefined
      ? undefined
      : setInterval(heartbeat.repeat, Math.max(250, heartbeatTimeoutMs / BEATS_PER_TIMEOUT));
  return {
    stop: () => {
      clearInterval(timer);
    },
    // Last: V8 takes much longer for a literal that has functions after a spread.
    ...heartbeat,
  };
}

/** The heartbeats of a body that beats for itself. */
export function heartbeatOf(
  activity: Context,
  handedBack?: HandedBack,
): Heartbeat & { readonly repeat: () => void } {
  // An attempt that fails before its first heartbeat must not lose the checkpoint that it was given.
  let latest: unknown = activity.info.heartbeatDetails ?? checkpointOf(handedBack);
  const send = (): void => {
    activity.heartbeat(latest);
  };
  return {
    checkpoint: () => checkpointOf(latest).checkpoint,
    beat: (progress, checkpoint) => {
      const kept = checkpoint === undefined ? checkpointOf(latest) : { checkpoint };
      latest = { progress, ...kept } satisfies HeartbeatDetails;
      send();
    },
    repeat: send,
  };
}

function checkpointOf(details: unknown): { checkpoint?: Json } {
  // Written by `beat` itself, or by an earlier attempt's.
  return typeof details === 'object' && details !== null && 'checkpoint' in details
    ? { checkpoint: details.checkpoint as Json }
    : {};
}
