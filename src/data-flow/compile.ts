import { z } from 'zod';
import { durationMsOrNone } from '../definition/duration.js';
import type { JsonObject } from '../definition/json.js';
import { nameProblem } from '../definition/name.js';
import type { Problem, Site } from '../definition/problem.js';
import { suggestion } from '../definition/suggestion.js';
import { typeSchema } from '../contract/json-schema.js';
import { checkFitness } from '../pipeline/operation-check.js';
import type { ObjectType, RetryOptions } from '../pipeline/operation.js';
import type { RetryPlan } from '../pipeline/plan.js';
import { ProblemList, type Path } from '../pipeline/problem-list.js';
import { checkRetry, planRetry } from '../pipeline/retry.js';
import { defaultsOf } from './configuration.js';
import { DATA_FLOW_KEYS, type DataFlow, type FlowBodyContext } from './data-flow.js';
import type { FlowRequest } from './request.js';
import { FLOW_DEFAULTS, FLOW_LIMITS } from './limits.js';
import { checkFlowPlan } from './plan.js';
import {
  compileSchedule,
  OVERLAP_POLICIES,
  type OverlapPolicy,
  type SchedulePlan,
} from './schedule.js';
import type { SinkUse } from './sink.js';
import type { SourceUse } from './source.js';
import type { InlineTransform, TransformUse } from './transform.js';
import { compileUses } from './use.js';

/** Asks a flow's definition for what depends on what a run was started with. */
type Asked<T> = (request: FlowRequest) => T;

/** What a run of a flow does: moves rows, or calls a body. */
export type FlowWork =
  | {
      readonly kind: 'move';
      readonly source: Asked<SourceUse>;
      readonly reads?: ObjectType;
      readonly transform?: TransformUse | InlineTransform;
      readonly writes?: ObjectType;
      readonly sink: Asked<SinkUse>;
      readonly batchSize: number;
      readonly batchTimeoutMs: number;
      readonly maxRejected: number;
    }
  | {
      readonly kind: 'body';
      readonly run: (context: FlowBodyContext<JsonObject>) => Promise<void> | void;
    };

/** A data flow that can be run. */
export interface CompiledDataFlow {
  readonly kind: 'data_flow';
  readonly name: string;
  readonly description?: string;
  readonly site?: Site;
  readonly enabled: boolean;
  readonly schedule: SchedulePlan;
  readonly overlap: OverlapPolicy;
  readonly catchupWindowMs: number;
  readonly after: readonly string[];
  readonly configuration: ObjectType;
  readonly configurationSchema: JsonObject;
  /** What the configuration is while nobody has changed it; without what has no default. */
  readonly defaults: JsonObject;
  readonly retry: RetryPlan;
  readonly timeoutMs: number;
  readonly work: FlowWork;
}

/** A data flow with the way to its places in a file. */
export interface DataFlowSource {
  readonly definition: DataFlow;
  readonly locate: (path: Path) => Site | undefined;
  /** Places of which it has been told already that something is wrong there. */
  readonly told?: readonly Path[];
}

/** Compiles a flow. Nothing is thrown for a wrong definition; every problem is returned, with its place. */
export function compileDataFlow({ definition, locate, told }: DataFlowSource): {
  readonly flow?: CompiledDataFlow;
  readonly problems: readonly Problem[];
} {
  const { name, site, written } = definition;
  const problems = new ProblemList(locate, name, told);
  checkHead(written, problems);
  const schedule = compileSchedule(written['schedule'], problems);
  const configuration = configurationOf(written['configuration'], problems);
  const defaults = defaultsOf(configuration);
  const work = workOf(written, { configuration, defaults }, problems);
  if (problems.hasErrors() || work === undefined) return { problems: problems.all() };
  const description = written['description'];
  const flow: CompiledDataFlow = {
    kind: 'data_flow',
    name,
    ...(typeof description === 'string' && { description }),
    ...(site !== undefined && { site }),
    enabled: written['enabled'] !== false,
    schedule,
    // What is wrong with these was told above.
    overlap: (written['overlap'] as OverlapPolicy | undefined) ?? FLOW_DEFAULTS.overlap,
    catchupWindowMs: durationMsOrNone(written['catchupWindow']) ?? FLOW_DEFAULTS.catchupWindowMs,
    after: (written['after'] as readonly string[] | undefined) ?? [],
    configuration,
    configurationSchema: typeSchema(configuration, 'input'),
    defaults,
    retry: planRetry({
      ...FLOW_DEFAULTS.retry,
      ...(written['retry'] as RetryOptions | undefined),
    }),
    timeoutMs: durationMsOrNone(written['timeout']) ?? FLOW_DEFAULTS.timeoutMs,
    work,
  };
  checkFlowPlan(flow, problems);
  return { ...(!problems.hasErrors() && { flow }), problems: problems.all() };
}

type Written = DataFlow['written'];

/** Below the path of data flows there is the heartbeat's, too. */
const HEARTBEAT_NAME = 'heartbeat';

function checkHead(written: Written, problems: ProblemList): void {
  const wrong = nameProblem(written['name'], 'import-orders');
  if (wrong !== undefined) problems.add(['name'], `data flow ${wrong}`);
  if (written['name'] === HEARTBEAT_NAME)
    problems.add(
      ['name'],
      `data flow is called "${HEARTBEAT_NAME}", which is where the API takes heartbeats. Choose another name.`,
    );
  problems.unknownKeys('', written, DATA_FLOW_KEYS);
  const { enabled, description, overlap, after, retry } = written;
  if (enabled !== undefined && typeof enabled !== 'boolean')
    problems.add(['enabled'], `enabled must be true or false.`);
  if (description !== undefined && typeof description !== 'string')
    problems.add(['description'], 'description must be a text.');
  if (overlap !== undefined && !OVERLAP_POLICIES.some((policy) => policy === overlap)) {
    const why = overlap === 'ALLOW_ALL' ? ' At most one run of a flow is active.' : '';
    problems.add(
      ['overlap'],
      `there is no overlap policy ${JSON.stringify(overlap)} here.${why}${suggestion(typeof overlap === 'string' ? overlap : '', OVERLAP_POLICIES)}`,
    );
  }
  if (
    after !== undefined &&
    !(Array.isArray(after) && after.every((name) => typeof name === 'string'))
  )
    problems.add(['after'], "after must be a list of names of flows: after: ['import-orders'].");
  checkRetry(retry, '', problems);
  for (const part of ['timeout', 'batchTimeout', 'catchupWindow'])
    problems.timeout([part], part, written[part]);
}

function configurationOf(written: unknown, problems: ProblemList): ObjectType {
  if (written === undefined) return z.object({});
  if (!(written instanceof z.ZodObject)) {
    problems.add(['configuration'], 'configuration must be a z.object({ … }) of zod 4.');
    return z.object({});
  }
  checkFitness(written, 'configuration', 'output', '', problems);
  return written;
}

interface Configured {
  readonly configuration: ObjectType;
  readonly defaults: JsonObject;
}

function workOf(
  written: Written,
  configured: Configured,
  problems: ProblemList,
): FlowWork | undefined {
  const { run, source, sink } = written;
  if (run !== undefined) {
    const beside = ['source', 'sink', 'transform', 'reads', 'writes'].filter(
      (key) => written[key] !== undefined,
    );
    if (typeof run !== 'function') problems.add(['run'], 'run must be a function.');
    for (const key of beside)
      problems.add([key], `a flow with a run of its own has no ${key}. Take one of them out.`);
    return { kind: 'body', run: run as (FlowWork & { kind: 'body' })['run'] };
  }
  if (source === undefined || sink === undefined) {
    const missing = [
      ...(source === undefined ? ['source'] : []),
      ...(sink === undefined ? ['sink'] : []),
    ];
    problems.add(
      [],
      `the flow has no ${missing.join(' and no ')}. Give it a source and a sink, or a run of its own.`,
    );
    return undefined;
  }
  for (const part of ['reads', 'writes']) {
    if (written[part] !== undefined && !(written[part] instanceof z.ZodObject))
      problems.add([part], `${part} must be a z.object({ … }) of zod 4.`);
  }
  const batchSize = wholeNumber(written, 'batchSize', FLOW_LIMITS.batchSize, problems);
  const maxRejected = wholeNumber(written, 'maxRejected', FLOW_LIMITS.maxRejected, problems, 0);
  const uses = compileUses(written, configured, problems);
  if (uses === undefined) return undefined;
  const { reads, writes } = written as {
    readonly reads?: ObjectType;
    readonly writes?: ObjectType;
  };
  return {
    kind: 'move',
    ...uses,
    ...(reads !== undefined && { reads }),
    ...(writes !== undefined && { writes }),
    batchSize: batchSize ?? FLOW_DEFAULTS.batchSize,
    batchTimeoutMs: durationMsOrNone(written['batchTimeout']) ?? FLOW_DEFAULTS.batchTimeoutMs,
    maxRejected: maxRejected ?? FLOW_DEFAULTS.maxRejected,
  };
}

function wholeNumber(
  written: Written,
  key: string,
  most: number,
  problems: ProblemList,
  least = 1,
): number | undefined {
  const value = written[key];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most)
    return value;
  problems.add(
    [key],
    `${key} is ${JSON.stringify(value)}. Write a whole number from ${String(least)} to ${String(most)}.`,
  );
  return undefined;
}
