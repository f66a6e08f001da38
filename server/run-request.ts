import type { Context } from 'koa';
import { MAX_IDEMPOTENCY_KEY } from '../engine/idempotency.js';
import type { Definition } from '../engine/registry.js';
import type { Run } from '../engine/run.js';
import type { Rejection } from '../src/config/hooks.js';
import { isPlainObject, type JsonObject } from '../src/definition/json.js';
import type { Api } from './api-options.js';
import { HttpProblem } from './http-problem.js';
import { authorizedExecution } from './middleware/authorization.js';
import { exposedDefinition } from './middleware/exposure.js';
import { readInput } from './middleware/body.js';
import { queryValue } from './request-path.js';
import { recordOf } from './request-record.js';

/** Longest URL of a webhook, in characters. */
export const MAX_WEBHOOK_URL = 2_000;

/** A run that a request started or attached to. */
export interface StartedRun {
  readonly run: Run;
  readonly webhookUrl?: string;
  /** The run is to be cancelled when this client leaves. */
  readonly cancelOnDisconnect: boolean;
}

/**
 * Starts the run that a request asks for. The response gets `X-Execution-Id`, and `Idempotency-Replayed` where the run
 * existed before.
 *
 * @throws whatever keeps it from starting; the error middleware knows each
 */
export async function startRequested(ctx: Context, api: Api, name: string): Promise<StartedRun> {
  const definition = exposedDefinition(api, name);
  const cancelOnDisconnect = readOnDisconnect(ctx);
  const idempotencyKey = readIdempotencyKey(ctx);
  const identityKey = readIdentityKey(ctx);
  const body = await readInput(ctx, api.settings.bodyLimitBytes);
  const { input, webhook } = takeWebhook(ctx, definition, body);
  const webhookUrl = await checkedWebhook(webhook, api);
  await askBeforeExecute(ctx, api, definition, input);
  const record = recordOf(ctx);
  const run = await api.engine.start(name, input, {
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(identityKey !== undefined && { identityKey }),
    ...(record.principal !== undefined && { principal: record.principal }),
    ...(webhookUrl !== undefined && { webhookUrl }),
  });
  record.executionId = run.executionId;
  // A key's scope is a principal; what a hook allows may be less.
  if (run.attached && api.settings.authorizeExecution !== undefined)
    await authorizedExecution(ctx, api, run);
  ctx.set('X-Execution-Id', run.executionId);
  if (run.attached) ctx.set('Idempotency-Replayed', 'true');
  return { run, cancelOnDisconnect, ...(webhookUrl !== undefined && { webhookUrl }) };
}

function readOnDisconnect(ctx: Context): boolean {
  const asked = queryValue(ctx, 'on_disconnect');
  if (asked === undefined || asked === 'continue') return false;
  if (asked === 'cancel') return true;
  throw new HttpProblem(400, 'invalid_request', 'on_disconnect must be "cancel" or "continue".');
}

function readIdempotencyKey(ctx: Context): string | undefined {
  const key = ctx.req.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && key.length > 0 && key.length <= MAX_IDEMPOTENCY_KEY) return key;
  const message = `An Idempotency-Key has 1 to ${String(MAX_IDEMPOTENCY_KEY)} characters (maxIdempotencyKey).`;
  throw new HttpProblem(400, 'invalid_request', message);
}

function readIdentityKey(ctx: Context): string | undefined {
  const key = queryValue(ctx, 'identity_key');
  if (key === undefined) return undefined;
  if (key.length > 0 && key.length <= MAX_IDEMPOTENCY_KEY) return key;
  const message = `identity_key must have 1 to ${String(MAX_IDEMPOTENCY_KEY)} characters (maxIdempotencyKey).`;
  throw new HttpProblem(400, 'invalid_request', message);
}

/** In the body it is an option only where the contract has no such property; there it is the input's. */
function takeWebhook(
  ctx: Context,
  definition: Definition,
  body: JsonObject,
): { readonly input: JsonObject; readonly webhook: unknown } {
  const asked = queryValue(ctx, 'webhook_url') ?? ctx.req.headers['webhook-url'];
  if (declares(definition, 'webhook_url') || body['webhook_url'] === undefined) {
    return { input: body, webhook: asked };
  }
  const { webhook_url, ...input } = body;
  return { input, webhook: asked ?? webhook_url };
}

function declares({ inputSchema: { properties } }: Definition, name: string): boolean {
  return isPlainObject(properties) && Object.hasOwn(properties, name);
}

async function checkedWebhook(webhook: unknown, api: Api): Promise<string | undefined> {
  // A form's empty field, or null in JSON, says that there is none.
  if (webhook === undefined || webhook === null || webhook === '') return undefined;
  const asked = typeof webhook === 'string' && webhook.length <= MAX_WEBHOOK_URL ? webhook : '';
  const url = URL.canParse(asked) ? new URL(asked) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    const message = `webhook_url must be an http or https URL of at most ${String(MAX_WEBHOOK_URL)} characters.`;
    throw new HttpProblem(422, 'invalid_webhook_url', message);
  }
  try {
    await api.checkWebhookUrl(url);
  } catch (error) {
    throw new HttpProblem(
      422,
      'invalid_webhook_url',
      error instanceof Error ? error.message : 'webhook_url was refused.',
    );
  }
  return url.href === `${asked}/` ? asked : url.href;
}

async function askBeforeExecute(
  ctx: Context,
  api: Api,
  { name, checkInput }: Definition,
  input: JsonObject,
): Promise<void> {
  const { beforeExecute } = api.settings;
  if (beforeExecute === undefined) return;
  const answer = await beforeExecute(name, checkInput(input), ctx);
  if (answer === false) throw new HttpProblem(403, 'rejected', 'Forbidden');
  if (isRejection(answer)) throw new HttpProblem(answer.status, 'rejected', answer.error);
}

/** JavaScript's authors return what they like; anything else lets the request pass. */
function isRejection(answer: unknown): answer is Rejection {
  if (
    typeof answer !== 'object' ||
    answer === null ||
    !('status' in answer) ||
    !('error' in answer)
  )
    return false;
  const { status, error } = answer;
  if (
    typeof status === 'number' &&
    Number.isInteger(status) &&
    status >= 400 &&
    status <= 599 &&
    typeof error === 'string'
  )
    return true;
  throw new TypeError(
    'beforeExecute answered with { status, error } where status is not 400 to 599 or error is no text',
  );
}
