import { ApplicationFailure, Context } from '@temporalio/activity';
import { WebhookAddressRefused } from '../../adapters/webhook/webhook-address.js';
import { WebhookRejected } from '../../adapters/webhook/webhook-sender.js';
import { webhookBody, webhookId, type WebhookDelivery } from '../../src/outcome/outcome.js';
import type { ActivityDependencies } from '../dependencies.js';

/** The receiver says that it will never want this again (Standard Webhooks). */
const GONE = 410;

/**
 * Sends a run's outcome to its webhook, once. The workflow's retry policy repeats it.
 *
 * @throws ApplicationFailure, not retryable for a refused address, a receiver that is gone, or a delivery that got too old
 */
export async function postWebhook(
  { outcomes, log }: ActivityDependencies,
  { url, outcome }: WebhookDelivery,
): Promise<void> {
  const { info, cancellationSignal } = Context.current();
  if (outcomes === undefined)
    throw permanently('WebhooksNotConfigured', 'This worker cannot send webhooks.');
  const ageMs = Date.now() - info.scheduledTimestampMs;
  if (info.attempt > 1 && ageMs > outcomes.webhookMaxAgeMs)
    throw givenUp(info.attempt - 1, ageMs, 'Nobody took it');
  const message = { url, id: webhookId(outcome), body: JSON.stringify(webhookBody(outcome)) };
  try {
    await outcomes.webhooks.send(message, cancellationSignal);
    log.info(
      { run: outcome.workflowId, status: outcome.status, attempt: info.attempt },
      'webhook delivered',
    );
  } catch (error) {
    log.warn(
      { err: error, run: outcome.workflowId, attempt: info.attempt },
      'webhook not delivered',
    );
    if (error instanceof WebhookAddressRefused) throw permanently(error.name, error.message);
    if (!(error instanceof WebhookRejected)) throw error;
    if (error.status === GONE) throw permanently(error.name, error.message);
    const wait = error.retryAfterMs;
    // The attempt that the receiver asks for would not be made.
    if (wait !== undefined && ageMs + wait > outcomes.webhookMaxAgeMs) {
      const asked = `The receiver wants to be asked again in ${seconds(wait)}`;
      throw givenUp(info.attempt, ageMs, `${error.message} ${asked}`);
    }
    throw ApplicationFailure.create({
      type: error.name,
      message: error.message,
      ...(wait !== undefined && { nextRetryDelay: wait }),
    });
  }
}

function givenUp(attempts: number, ageMs: number, why: string): ApplicationFailure {
  return permanently(
    'WebhookGivenUp',
    `${why}. Given up after ${String(attempts)} attempts in ${seconds(ageMs)} (webhooks.maxAge).`,
  );
}

function seconds(ms: number): string {
  return `${String(Math.round(ms / 1_000))} s`;
}

function permanently(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}
