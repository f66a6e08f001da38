import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What the service says of itself. */
export interface PaymentsSummary {
  readonly charges: number;
  readonly charged_cents: number;
  /** How many answers there were to `POST /charges`, by their status. */
  readonly answers: Readonly<Record<string, number>>;
}

/** The payment service, in a process of its own. */
export interface Payments extends AsyncDisposable {
  readonly url: string;
  summary(): Promise<PaymentsSummary>;
  stop(): Promise<void>;
}

/** Starts the payment service on a free port: for tests. */
export async function startPayments(
  options: { readonly latencyMs?: number } = {},
): Promise<Payments> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../service/payments.mjs')], {
    env: { ...process.env, PORT: '0', LATENCY_MS: String(options.latencyMs ?? 0) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    ended,
  ])) as [unknown];
  const url = /http:\S+/.exec(String(line))?.[0];
  if (url === undefined) throw new Error('the payment service has not started');
  const stop = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  return {
    url,
    stop,
    [Symbol.asyncDispose]: stop,
    summary: async () => (await (await fetch(`${url}/charges`)).json()) as PaymentsSummary,
  };
}
