import type { Client } from '@temporalio/client';
import { GRPC, grpcCode } from './grpc-code.js';

/** What a worker is doing: not yet taking work, taking it, ending what it has, over, ended by what it could not go on without. */
export type WorkerState = 'starting' | 'running' | 'draining' | 'stopped' | 'failed';

/** Whether a process can do what it is there for. */
export interface Readiness {
  /** True where each part is `ok`, and the worker `running`. */
  readonly ready: boolean;
  readonly parts: {
    readonly temporal?: 'ok' | 'unreachable';
    /** Where a worker runs data flows. */
    readonly catalog?: 'ok' | 'unreachable';
    readonly worker?: WorkerState;
  };
}

/** Longest time that a part may take to answer, in milliseconds. Probes commonly wait for a few seconds at most. */
const PATIENCE_MS = 2_000;

/** An answer holds so long, in milliseconds, however many ask: whoever may probe a process cannot have it flood its servers. */
const HOLDS_MS = 1_000;

/** A part that a process needs, and that may be away. */
export class Reachability {
  #asked: { readonly at: number; readonly answer: Promise<boolean> } | undefined;

  /** @param ask - resolves where the part answers; rejects, or takes long, where it is away */
  constructor(private readonly ask: () => Promise<unknown>) {}

  /** Whether it answers; within two seconds. */
  async isReachable(): Promise<boolean> {
    const now = Date.now();
    if (this.#asked === undefined || now - this.#asked.at >= HOLDS_MS)
      this.#asked = { at: now, answer: answersInTime(this.ask) };
    return this.#asked.answer;
  }
}

/**
 * Asks a Temporal server for the client's namespace. One that does not let us see it is there.
 *
 * @throws what the client throws where the server is away, refuses the credentials, or has no such namespace
 */
export async function askTemporal(client: Client): Promise<void> {
  const { namespace } = client.options;
  await client.connection
    .withDeadline(Date.now() + PATIENCE_MS, () =>
      client.workflowService.describeNamespace({ namespace }),
    )
    .catch((error: unknown) => {
      if (grpcCode(error) !== GRPC.permissionDenied) throw error;
    });
}

/** What the states of parts come to. */
export function readinessOf(parts: Readiness['parts']): Readiness {
  const ready = Object.values(parts).every((state) => state === 'ok' || state === 'running');
  return { ready, parts };
}

async function answersInTime(ask: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, PATIENCE_MS);
  });
  const answered = ask().then(
    () => true,
    () => false,
  );
  return Promise.race([answered, late]).finally(() => {
    clearTimeout(timer);
  });
}
