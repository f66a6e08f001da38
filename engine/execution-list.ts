import type { Client } from '@temporalio/client';
import type { LoadedDataConverter } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { LRUCache } from 'lru-cache';
import { createHash } from 'node:crypto';
import { TIMED_OUT_TAG } from '../src/outcome/outcome.js';
import {
  DEAD_LETTER_MEMO,
  DEAD_LETTER_TAG,
  DEAD_LETTER_UNTOLD_MEMO,
  deadLetterOf,
} from '../src/task/dead-letter.js';
import type { ExecutionStatus } from '../src/progress/status.js';
import { statusOf } from './execution.js';
import { parseRunId, type RunKind } from './run-id.js';
import { requestTemporal } from './temporal-request.js';

/** One line of a list: what Temporal's visibility knows. */
export interface ExecutionSummary {
  readonly id: string;
  readonly executionId: string;
  readonly name: string;
  /** Visibility does not tell pending from running: it is `running` either way. */
  readonly status: ExecutionStatus;
  readonly startedAt: Date;
  readonly completedAt?: Date;
  /** Who started it, where the server authenticates. */
  readonly principal?: string;
  /** Of a task that a limit has set aside: why. */
  readonly deadLetter?: string;
}

/** What is asked for. */
export interface ListRequest {
  readonly kind: RunKind;
  /** All definitions of the kind unless given. */
  readonly name?: string;
  readonly status?: ExecutionStatus;
  /** Only tasks that a limit has set aside. */
  readonly deadLetters?: true;
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

const TAGGED = `TemporalChangeVersion = '${TIMED_OUT_TAG}'`;

/** A pipeline's own timeout is a failure to Temporal, and told by its tag. Not every store compares what is not there. */
const STATUS_QUERY: Readonly<Record<ExecutionStatus, string>> = {
  pending: "ExecutionStatus = 'Running'",
  running: "ExecutionStatus = 'Running'",
  completed: "ExecutionStatus = 'Completed'",
  failed: `ExecutionStatus = 'Failed' AND (TemporalChangeVersion IS NULL OR TemporalChangeVersion != '${TIMED_OUT_TAG}')`,
  cancelled: "ExecutionStatus = 'Canceled'",
  terminated: "ExecutionStatus = 'Terminated'",
  timed_out: `(ExecutionStatus = 'TimedOut' OR (ExecutionStatus = 'Failed' AND ${TAGGED}))`,
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
    const { loadedDataConverter } = this.client.options;
    const executions = await Promise.all(
      response.executions.flatMap((info) => {
        const id = parseRunId(info.execution?.workflowId ?? '');
        return id === undefined ? [] : [summaryOf(id, info, loadedDataConverter)];
      }),
    );
    const next = response.nextPageToken;
    // Others that Temporal has ended have no reason: their templates do not have them set aside.
    const listed =
      request.deadLetters === true
        ? executions.filter(({ deadLetter }) => deadLetter !== undefined)
        : executions;
    return {
      executions: listed,
      ...(next.length > 0 && { nextPageToken: writePageToken(next, query) }),
    };
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

async function summaryOf(
  id: { readonly name: string; readonly executionId: string },
  info: Info,
  converter: LoadedDataConverter,
): Promise<ExecutionSummary> {
  const memo = await memoTexts(info, converter);
  const { principal } = memo;
  const status = statusOf(STATUS_NAMES[info.status ?? 0] ?? '');
  const deadLetter = deadLetterOf(memo, status === 'timed_out');
  return {
    id: info.execution?.workflowId ?? '',
    executionId: id.executionId,
    name: id.name,
    status: status === 'failed' && isTagged(info) ? 'timed_out' : status,
    startedAt: dateOf(info.startTime) ?? new Date(0),
    ...(info.closeTime && { completedAt: dateOf(info.closeTime) ?? new Date(0) }),
    ...(principal !== undefined && { principal }),
    ...(deadLetter !== undefined && { deadLetter }),
  };
}

/** What lists show of memos, as far as it is text. */
async function memoTexts(
  { memo }: Info,
  converter: LoadedDataConverter,
): Promise<Readonly<Record<string, string>>> {
  const fields = ['principal', DEAD_LETTER_MEMO, DEAD_LETTER_UNTOLD_MEMO].flatMap((name) => {
    const payload = memo?.fields?.[name];
    return payload ? [{ name, payload }] : [];
  });
  const values = await decodeArrayFromPayloads(
    converter,
    fields.map(({ payload }) => payload),
  );
  return Object.fromEntries(
    fields.flatMap(({ name }, at) => {
      const value = values[at];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}

/** Search attributes are JSON, whatever codecs the client has. */
function isTagged({ searchAttributes }: Info): boolean {
  const data = searchAttributes?.indexedFields?.['TemporalChangeVersion']?.data;
  const tags: unknown = data ? JSON.parse(Buffer.from(data).toString('utf8')) : [];
  return tags === TIMED_OUT_TAG || (Array.isArray(tags) && tags.includes(TIMED_OUT_TAG));
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
  deadLetters,
  startedAfter,
  startedBefore,
}: Omit<ListRequest, 'limit' | 'pageToken'>): string {
  const prefix = name === undefined ? `${kind}/` : `${kind}/${name}/`;
  // Names hold no quotes: they were checked when the definitions were loaded.
  return [
    `WorkflowId STARTS_WITH '${prefix}'`,
    ...(status === undefined ? [] : [STATUS_QUERY[status]]),
    ...(deadLetters === true
      ? [`(TemporalChangeVersion = '${DEAD_LETTER_TAG}' OR ExecutionStatus = 'TimedOut')`]
      : []),
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
