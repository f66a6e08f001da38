import type { Client } from '@temporalio/client';
import { LRUCache } from 'lru-cache';
import { createHash } from 'node:crypto';
import type { ExecutionStatus } from '../src/progress/status.js';
import { statusOf } from './execution.js';
import { parseRunId, type RunKind } from './run-id.js';
import { requestTemporal } from './temporal-request.js';

/** One line of a list: what Temporal's visibility knows. */
export interface ExecutionSummary {
  readonly id: string;
  readonly executionId: string;
  readonly name: string;
  /** Visibility does not tell pending from running, nor a pipeline's own timeout from other failures. */
  readonly status: ExecutionStatus;
  readonly startedAt: Date;
  readonly completedAt?: Date;
}

/** What is asked for. */
export interface ListRequest {
  readonly kind: RunKind;
  /** All definitions of the kind unless given. */
  readonly name?: string;
  readonly status?: ExecutionStatus;
  readonly startedAfter?: Date;
  readonly startedBefore?: Date;
  /** 1 to 100; 20 unless given. */
  readonly limit?: number;
  /** `nextPageToken` of the page before. */
  readonly pageToken?: string;
}

/** One page, newest first. */
export interface ExecutionPage {
  readonly executions: readonly ExecutionSummary[];
  readonly nextPageToken?: string;
}

/** A page token that this server did not give out. */
export class InvalidPageToken extends Error {
  override readonly name = 'InvalidPageToken';
  constructor() {
    super('page_token is none that this API gave out for this list.');
  }
}

/** A default Temporal cluster answers 10 list requests a second: the same page is asked for once a second at most. */
const CACHE_MS = 1_000;
const CACHED_PAGES = 500;

/** Most executions of one page. */
export const MAX_PAGE = 100;

const TEMPORAL_STATUS: Readonly<Record<ExecutionStatus, string>> = {
  pending: 'Running',
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Canceled',
  terminated: 'Terminated',
  timed_out: 'TimedOut',
};

/** Lists runs from Temporal's visibility. */
export class ExecutionList {
  readonly #pages = new LRUCache<string, Promise<ExecutionPage>>({
    max: CACHED_PAGES,
    ttl: CACHE_MS,
  });

  constructor(private readonly client: Client) {}

  /** @throws {@link InvalidPageToken} */
  async page(request: ListRequest): Promise<ExecutionPage> {
    const key = JSON.stringify(request);
    const known = this.#pages.get(key);
    if (known !== undefined) return known;
    const page = this.#read(request);
    this.#pages.set(key, page);
    page.catch(() => this.#pages.delete(key));
    return page;
  }

  async #read({ limit = 20, pageToken, ...request }: ListRequest): Promise<ExecutionPage> {
    const query = visibilityQuery(request);
    const response = await requestTemporal(this.client, () =>
      this.client.workflowService.listWorkflowExecutions({
        namespace: this.client.options.namespace,
        query,
        pageSize: Math.min(MAX_PAGE, Math.max(1, limit)),
        ...(pageToken !== undefined && { nextPageToken: readPageToken(pageToken, query) }),
      }),
    );
    const executions = response.executions.flatMap((info) => {
      const id = parseRunId(info.execution?.workflowId ?? '');
      return id === undefined ? [] : [summaryOf(id, info)];
    });
    const next = response.nextPageToken;
    return { executions, ...(next.length > 0 && { nextPageToken: writePageToken(next, query) }) };
  }
}

type Info = Awaited<
  ReturnType<Client['workflowService']['listWorkflowExecutions']>
>['executions'][number];

/** temporal.api.enums.v1.WorkflowExecutionStatus, by number. */
const STATUS_NAMES = [
  '',
  'RUNNING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'TERMINATED',
  'CONTINUED_AS_NEW',
  'TIMED_OUT',
];

function summaryOf(
  id: { readonly name: string; readonly executionId: string },
  info: Info,
): ExecutionSummary {
  return {
    id: info.execution?.workflowId ?? '',
    executionId: id.executionId,
    name: id.name,
    status: statusOf(STATUS_NAMES[info.status ?? 0] ?? ''),
    startedAt: dateOf(info.startTime) ?? new Date(0),
    ...(info.closeTime && { completedAt: dateOf(info.closeTime) ?? new Date(0) }),
  };
}

function dateOf(timestamp: Info['startTime']): Date | undefined {
  if (!timestamp) return undefined;
  return new Date(
    Number(timestamp.seconds ?? 0) * 1_000 + Math.floor((timestamp.nanos ?? 0) / 1_000_000),
  );
}

function visibilityQuery({
  kind,
  name,
  status,
  startedAfter,
  startedBefore,
}: Omit<ListRequest, 'limit' | 'pageToken'>): string {
  const prefix = name === undefined ? `${kind}/` : `${kind}/${name}/`;
  // Names hold no quotes: they were checked when the definitions were loaded.
  return [
    `WorkflowId STARTS_WITH '${prefix}'`,
    ...(status === undefined ? [] : [`ExecutionStatus = '${TEMPORAL_STATUS[status]}'`]),
    ...(startedAfter === undefined ? [] : [`StartTime >= '${startedAfter.toISOString()}'`]),
    ...(startedBefore === undefined ? [] : [`StartTime < '${startedBefore.toISOString()}'`]),
  ].join(' AND ');
}

/** Bytes of a page token that say which list it belongs to. */
const TOKEN_CHECK_BYTES = 8;

/**
 * Temporal's token with a checksum over it and the query: Temporal answers a wrong token with an error that its client
 * takes for a passing one and retries for half a minute, or with another list's page.
 */
function writePageToken(token: Uint8Array, query: string): string {
  return Buffer.concat([tokenCheck(token, query), token]).toString('base64url');
}

function readPageToken(text: string, query: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url');
  const token = bytes.subarray(TOKEN_CHECK_BYTES);
  if (!bytes.subarray(0, TOKEN_CHECK_BYTES).equals(tokenCheck(token, query)))
    throw new InvalidPageToken();
  return token;
}

function tokenCheck(token: Uint8Array, query: string): Buffer {
  return createHash('sha256').update(token).update(query).digest().subarray(0, TOKEN_CHECK_BYTES);
}
