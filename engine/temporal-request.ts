import type { ConnectionLike } from '@temporalio/client';
import { GRPC, grpcCode } from './grpc-code.js';

/** Longest time of one request to the Temporal server, with the repetitions that its client makes. */
export const MAX_REQUEST_MS = 10_000;

/**
 * What a request ends with that was not answered. Nobody but us cancels one; the native client says so as well where a deadline
 * has passed before our own timer was looked at.
 */
const NOT_ANSWERED: readonly number[] = [GRPC.deadlineExceeded, GRPC.unavailable, GRPC.cancelled];

/** The Temporal server did not answer a request, in time or at all. The request may have reached it all the same. */
export class TemporalUnavailable extends Error {
  override readonly name = 'TemporalUnavailable';
  constructor(
    /** How long it was waited for. */
    readonly waitedMs: number,
    cause?: unknown,
  ) {
    const reason = cause instanceof Error ? `: ${rootOf(cause).message}` : '';
    super(
      `The Temporal server did not answer for ${String(Math.ceil(waitedMs / 1_000))} s${reason}. Try again; an idempotency ` +
        'key makes sure that a run which was started all the same is not started twice.',
      { cause },
    );
  }
}

/**
 * Makes a request to the Temporal server that has to be answered in time. Temporal's own client repeats what fails for longer
 * than anybody waits for an HTTP answer, and waits without end for a server that is there and says nothing.
 *
 * @throws {@link TemporalUnavailable} after {@link MAX_REQUEST_MS}, or earlier where nothing listens; else what the request throws
 */
export async function requestTemporal<T>(
  { connection }: { readonly connection: ConnectionLike },
  request: () => Promise<T>,
): Promise<T> {
  const began = Date.now();
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new TemporalUnavailable(MAX_REQUEST_MS));
      // Between two of the client's attempts a deadline alone goes unnoticed.
      stop.abort();
    }, MAX_REQUEST_MS);
  });
  try {
    const answered = connection.withAbortSignal(stop.signal, () =>
      connection.withDeadline(began + MAX_REQUEST_MS, request),
    );
    return await Promise.race([answered, late]);
  } catch (error) {
    const code = grpcCode(error);
    if (NOT_ANSWERED.some((known) => known === code))
      throw new TemporalUnavailable(Date.now() - began, error);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function rootOf(error: Error): Error {
  return error.cause instanceof Error ? rootOf(error.cause) : error;
}
