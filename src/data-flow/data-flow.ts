import type { z } from 'zod';
import { DEFINITION, type Branded } from '../definition/brand.js';
import { callerSite } from '../definition/call-site.js';
import type { Duration } from '../definition/duration.js';
import type { Json } from '../definition/json.js';
import type { Site } from '../definition/problem.js';
import type { ActivityContext } from '../pipeline/context.js';
import type { ObjectType, RetryOptions } from '../pipeline/operation.js';
import type { FlowRequest, Requested } from './request.js';
import type { Row, RowCounts } from './row.js';
import type { FlowSchedule, OverlapPolicy } from './schedule.js';
import type { SinkUse } from './sink.js';
import type { SourceUse } from './source.js';
import type { Transformed, TransformUse } from './transform.js';

/** What a flow with a body of its own gets. */
export interface FlowBodyContext<Configuration>
  extends ActivityContext, FlowRequest<Configuration> {
  /** Where the flow is: what was saved last, in this run or an earlier one. Undefined before the first time. */
  readonly cursor: Json | undefined;
  /**
   * Saves where the flow is, and adds to the counts of the run. Call it after each part of the work whose effect is safe: an
   * attempt that follows goes on from there.
   *
   * @throws {@link FenceLost} when another attempt has taken over; let it pass
   */
  readonly saveCursor: (cursor: Json, counts?: BodyCounts) => Promise<void>;
}

/** Rows that a body has moved since it last told. */
export type BodyCounts = Partial<Pick<RowCounts, 'read' | 'written' | 'rejected' | 'skipped'>>;

interface FlowSettings<C extends ObjectType> {
  /** What everybody calls it; also the workflow type of its runs. */
  readonly name: string;
  readonly description?: string;
  /** Whether it is started by itself; true unless set. An operator may change it. */
  readonly enabled?: boolean;
  /** When it is started by itself. Unset: by hand, by the API, or `after` other flows. */
  readonly schedule?: FlowSchedule;
  /** What operators may change while the code stays: a `z.object` with defaults. */
  readonly configuration?: C;
  /** Started when each of these flows has succeeded since its own last start. */
  readonly after?: readonly string[];
  /** What happens when a scheduled run is due while another one goes on; `SKIP` unless set. */
  readonly overlap?: OverlapPolicy;
  /** How late a scheduled run may be started when nobody could start it in time; `1h` unless set. */
  readonly catchupWindow?: Duration;
  /** Attempts that follow each other without getting any further; 5 unless set, after 2, 6, 18 and 54 seconds. */
  readonly retry?: RetryOptions;
  /** Longest time of a run; `24h` unless set. */
  readonly timeout?: Duration;
}

/** What {@link defineDataFlow} takes: a source, a sink, and what happens to the rows between them. */
export interface MovingFlowDefinition<
  C extends ObjectType,
  S extends Row,
  R extends ObjectType,
  W extends ObjectType,
> extends FlowSettings<C> {
  readonly source: Requested<SourceUse<S>, z.output<C>>;
  /** What a row of the source must be; others are rejected. Converts (`z.coerce.number()`) and fills in defaults. */
  readonly reads?: R;
  /** Makes of a row another, several or none. An error rejects the row. */
  readonly transform?:
    | TransformUse
    | ((
        context: FlowRequest<z.output<C>> &
          Pick<ActivityContext, 'log' | 'signal' | 'services'> & { readonly row: RowOf<S, R> },
      ) => Transformed<InputOf<W>> | Promise<Transformed<InputOf<W>>>);
  /** What a row for the sink must be; others are rejected. */
  readonly writes?: W;
  readonly sink: Requested<SinkUse, z.output<C>>;
  /** Most rows that are moved together; 200 unless set. */
  readonly batchSize?: number;
  /** Longest time of one batch; `5m` unless set. */
  readonly batchTimeout?: Duration;
  /** Most rejected rows of a run; with one more the run fails. 100 unless set. */
  readonly maxRejected?: number;
  readonly run?: never;
}

/** What {@link defineDataFlow} takes: a body that does everything itself. */
export interface BodyFlowDefinition<C extends ObjectType> extends FlowSettings<C> {
  /** Moves what there is. Runs in one activity, again from the saved cursor after a crash. */
  readonly run: (context: FlowBodyContext<z.output<C>>) => Promise<void> | void;
  readonly source?: never;
  readonly sink?: never;
}

type RowOf<S extends Row, R extends ObjectType> = [R] extends [never] ? S : z.output<R>;
type InputOf<W extends ObjectType> = [W] extends [never] ? Row : z.input<W>;

/** A data flow. Made by {@link defineDataFlow}. */
export interface DataFlow extends Branded<'data_flow'> {
  readonly name: string;
  readonly site?: Site;
  /** As a person wrote it, with its types erased; looked into when it is compiled. */
  readonly written: Readonly<Record<string, unknown>>;
}

/**
 * Defines a data flow: rows on their way from a source to a sink, exactly where they left off.
 *
 * @example
 * ```ts
 * export const importOrders = defineDataFlow({
 *   name: 'import-orders',
 *   schedule: { cron: '0 3 * * *', timezone: 'Europe/Berlin' },
 *   source: csvSource({ path: 'data/orders.csv' }),
 *   reads: z.object({ id: z.coerce.number(), amount: z.coerce.number() }),
 *   sink: sqlSink({ database: 'sqlite:data/shop.db', table: 'orders', key: ['id'] }),
 * });
 * ```
 */
export function defineDataFlow<
  C extends ObjectType = z.ZodObject<Record<never, never>>,
  S extends Row = Row,
  R extends ObjectType = never,
  W extends ObjectType = never,
>(definition: MovingFlowDefinition<C, S, R, W> | BodyFlowDefinition<C>): DataFlow {
  const site = callerSite();
  return {
    [DEFINITION]: 'data_flow',
    name: definition.name,
    written: { ...definition },
    ...(site !== undefined && { site }),
  };
}

const SETTINGS = {
  name: true,
  description: true,
  enabled: true,
  schedule: true,
  configuration: true,
  after: true,
  overlap: true,
  catchupWindow: true,
  retry: true,
  timeout: true,
} satisfies Record<keyof FlowSettings<ObjectType>, true>;

const MOVING = {
  source: true,
  reads: true,
  transform: true,
  writes: true,
  sink: true,
  batchSize: true,
  batchTimeout: true,
  maxRejected: true,
  run: true,
} satisfies Record<
  Exclude<keyof MovingFlowDefinition<never, never, never, never>, keyof FlowSettings<never>>,
  true
>;

/** The keys that {@link defineDataFlow} takes. */
export const DATA_FLOW_KEYS: readonly string[] = [...Object.keys(SETTINGS), ...Object.keys(MOVING)];
