import { PermanentError, type ApiClient } from 'millrace';

/** Where the payment service is. */
export function paymentsUrl(): string {
  return process.env['PAYMENTS_URL'] ?? 'http://127.0.0.1:8790';
}

/** What is to be charged. */
export interface Payment {
  readonly orderId: string;
  readonly amountCents: number;
  readonly card: string;
}

/** What the service has answered for good. */
export type Charge =
  | { readonly outcome: 'charged'; readonly chargeId: string }
  | { readonly outcome: 'declined'; readonly reason: string };

/**
 * Charges a card, once for each order however often it is asked: the order's id is the idempotency key, since an attempt may be
 * repeated whose answer nobody got.
 *
 * @throws what the API client throws: an error that is tried again for 429 and 5xx, and for no answer at all; a permanent one for
 *   answers other than 422, which says that the card was declined
 */
export async function charge(
  api: ApiClient,
  { orderId, amountCents, card }: Payment,
): Promise<Charge> {
  try {
    const { body } = await api.post<{ charge_id: string }>('/charges', {
      headers: { 'idempotency-key': orderId },
      body: { order_id: orderId, amount_cents: amountCents, card },
    });
    return { outcome: 'charged', chargeId: body.charge_id };
  } catch (error) {
    if (statusOf(error) === 422)
      return { outcome: 'declined', reason: `the card of order ${orderId} was declined` };
    throw error;
  }
}

/** The status of an answer that another attempt would get again. */
function statusOf(error: unknown): unknown {
  if (!(error instanceof PermanentError)) return undefined;
  const { details } = error;
  return typeof details === 'object' && details !== null && 'status' in details
    ? details.status
    : undefined;
}
