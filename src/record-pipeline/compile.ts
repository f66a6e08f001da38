import { durationMsOrNone } from '../definition/duration.js';
import { isDefinition } from '../definition/brand.js';
import { isPlainObject } from '../definition/json.js';
import { nameProblem } from '../definition/name.js';
import type { Problem, Site } from '../definition/problem.js';
import { ProblemList, type Path } from '../pipeline/problem-list.js';
import { RECORD_DEFAULTS, RECORD_LIMITS } from './limits.js';
import type { RecordPipeline, RecordPipelineDefinition, Step } from './record-pipeline.js';

/** A record pipeline that can be run. */
export interface CompiledRecordPipeline {
  readonly kind: 'record_pipeline';
  readonly name: string;
  readonly description?: string;
  readonly site?: Site;
  readonly store: object;
  readonly steps: readonly Step<never>[];
  readonly concurrency: number;
  readonly enqueueMs: number;
  readonly onError: 'stop' | 'continue';
  readonly maxErrors: number;
  readonly hooks: Pick<RecordPipelineDefinition<never>, 'prepare' | 'beforeProcess' | 'onProgress'>;
  readonly timers: NonNullable<RecordPipelineDefinition<never>['timers']>;
  readonly timeoutMs: number;
}

/** A record pipeline with the way to its places in a file. */
export interface RecordPipelineSource {
  readonly definition: RecordPipeline;
  readonly locate: (path: Path) => Site | undefined;
}

const KEYS: readonly string[] = Object.keys({
  name: true,
  description: true,
  processor: true,
  prepare: true,
  steps: true,
  beforeProcess: true,
  onProgress: true,
  timers: true,
  onError: true,
  maxErrors: true,
  timeout: true,
} satisfies Record<keyof RecordPipelineDefinition<unknown>, true>);

const STEP_KEYS: readonly string[] = Object.keys({
  label: true,
  records: true,
  each: true,
  maxPasses: true,
  timeout: true,
} satisfies Record<keyof Step<unknown>, true>);

/** Compiles a record pipeline. Nothing is thrown for a wrong definition; every problem is returned, with its place. */
export function compileRecordPipeline({ definition, locate }: RecordPipelineSource): {
  readonly pipeline?: CompiledRecordPipeline;
  readonly problems: readonly Problem[];
} {
  const { name, site, store } = definition;
  // It may be anything in JavaScript.
  const written = definition.written as unknown as Readonly<Record<string, unknown>>;
  const problems = new ProblemList(locate, name);
  checkHead(written, store, problems);
  const steps = stepsOf(written['steps'], problems);
  const processor = processorOf(written['processor'], problems);
  const maxErrors = wholeNumber(written, 'maxErrors', RECORD_LIMITS.maxErrors, problems);
  const timers = timersOf(written['timers'], problems);
  if (problems.hasErrors()) return { problems: problems.all() };
  const { description, prepare, beforeProcess, onProgress, onError, timeout } = definition.written;
  return {
    problems: problems.all(),
    pipeline: {
      kind: 'record_pipeline',
      name,
      ...(description !== undefined && { description }),
      ...(site !== undefined && { site }),
      store: store as object,
      steps,
      ...processor,
      onError: onError ?? 'stop',
      maxErrors: maxErrors ?? RECORD_DEFAULTS.maxErrors,
      hooks: {
        ...(prepare !== undefined && { prepare }),
        ...(beforeProcess !== undefined && { beforeProcess }),
        ...(onProgress !== undefined && { onProgress }),
      },
      timers,
      timeoutMs: durationMsOrNone(timeout) ?? RECORD_DEFAULTS.timeoutMs,
    },
  };
}

function checkHead(
  written: Readonly<Record<string, unknown>>,
  store: unknown,
  problems: ProblemList,
): void {
  const wrong = nameProblem(written['name'], 'onboarding');
  if (wrong !== undefined) problems.add(['name'], `record pipeline ${wrong}`);
  if (!isDefinition(store, 'record_store'))
    problems.add(
      [],
      'its first argument is no store: defineRecordPipeline(defineStore({ … }), { … }).',
    );
  problems.unknownKeys('', written, KEYS);
  const { description, onError } = written;
  if (description !== undefined && typeof description !== 'string')
    problems.add(['description'], 'description must be a text.');
  if (onError !== undefined && onError !== 'stop' && onError !== 'continue')
    problems.add(['onError'], `onError is ${JSON.stringify(onError)}. Write 'stop' or 'continue'.`);
  for (const hook of ['prepare', 'beforeProcess', 'onProgress'])
    if (written[hook] !== undefined && typeof written[hook] !== 'function')
      problems.add([hook], `${hook} must be a function.`);
  problems.timeout(['timeout'], 'timeout', written['timeout']);
}

function stepsOf(written: unknown, problems: ProblemList): readonly Step<never>[] {
  if (!Array.isArray(written) || written.length === 0) {
    problems.add(['steps'], 'steps must be a list with at least one step({ … }).');
    return [];
  }
  if (written.length > RECORD_LIMITS.steps)
    problems.add(
      ['steps'],
      `there are ${String(written.length)} steps; the most is ${String(RECORD_LIMITS.steps)}.`,
    );
  const labels = new Set<unknown>();
  for (const [at, step] of (written as readonly unknown[]).entries()) {
    const here = problems.under(['steps', at]);
    if (!isPlainObject(step)) {
      here.add([], `step ${String(at + 1)} is none. Write step({ label, records, each }).`);
      continue;
    }
    checkStep(step, at, labels, here);
    labels.add(step['label']);
  }
  return written as readonly Step<never>[];
}

function checkStep(
  step: Readonly<Record<string, unknown>>,
  at: number,
  labels: ReadonlySet<unknown>,
  problems: ProblemList,
): void {
  const { label } = step;
  const what = typeof label === 'string' ? `step "${label}": ` : `step ${String(at + 1)}: `;
  problems.unknownKeys(what, step, STEP_KEYS);
  if (typeof label !== 'string' || label === '' || label.length > 200)
    problems.add(['label'], `${what}label must be a text of 1 to 200 characters.`);
  else if (labels.has(label))
    problems.add(['label'], `${what}there is a step of this label before. Give each its own.`);
  if (typeof step['records'] !== 'function')
    problems.add(
      ['records'],
      `${what}records must be a function: (store) => store.user.where({ … }).`,
    );
  if (typeof step['each'] !== 'function')
    problems.add(['each'], `${what}each must be a function: async ({ record }) => { … }.`);
  wholeNumber(step, 'maxPasses', 1_000_000, problems, what);
  problems.timeout(['timeout'], `${what}timeout`, step['timeout']);
}

function processorOf(
  written: unknown,
  problems: ProblemList,
): { readonly concurrency: number; readonly enqueueMs: number } {
  const one = { concurrency: 1, enqueueMs: RECORD_DEFAULTS.enqueueSeconds * 1_000 };
  if (written === undefined) return one;
  const kind = isPlainObject(written) ? written['kind'] : undefined;
  if (!isPlainObject(written) || (kind !== 'sync' && kind !== 'async')) {
    problems.add(
      ['processor'],
      'processor must be sync() or async({ concurrency, enqueueSeconds }).',
    );
    return one;
  }
  if (kind === 'sync') return one;
  const here = problems.under(['processor']);
  here.unknownKeys('processor: ', written, ['kind', 'concurrency', 'enqueueSeconds']);
  const concurrency = wholeNumber(
    written,
    'concurrency',
    RECORD_LIMITS.concurrency,
    here,
    'processor: ',
  );
  const { enqueueSeconds = RECORD_DEFAULTS.enqueueSeconds } = written;
  const isSeconds =
    typeof enqueueSeconds === 'number' && enqueueSeconds > 0 && enqueueSeconds <= 3_600;
  if (!isSeconds)
    here.add(
      ['enqueueSeconds'],
      `processor: enqueueSeconds is ${JSON.stringify(enqueueSeconds)}. Write seconds, more than 0.`,
    );
  return {
    concurrency: concurrency ?? RECORD_DEFAULTS.concurrency,
    enqueueMs: isSeconds ? enqueueSeconds * 1_000 : one.enqueueMs,
  };
}

function timersOf(written: unknown, problems: ProblemList): CompiledRecordPipeline['timers'] {
  if (written === undefined) return [];
  if (!Array.isArray(written)) {
    problems.add(['timers'], 'timers must be a list: [every(2, (stats) => { … })].');
    return [];
  }
  for (const [at, timer] of (written as readonly unknown[]).entries()) {
    const seconds = isPlainObject(timer) ? timer['seconds'] : undefined;
    const isTimer = isPlainObject(timer) && typeof timer['act'] === 'function';
    if (!isTimer || typeof seconds !== 'number' || !(seconds >= 0.1 && seconds <= 86_400))
      problems.add(
        ['timers', at],
        `timer ${String(at + 1)} must be every(seconds, (stats) => { … }), with 0.1 to 86,400 seconds.`,
      );
  }
  return written as CompiledRecordPipeline['timers'];
}

function wholeNumber(
  written: Readonly<Record<string, unknown>>,
  key: string,
  most: number,
  problems: ProblemList,
  what = '',
): number | undefined {
  const value = written[key];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most)
    return value;
  problems.add(
    [key],
    `${what}${key} is ${JSON.stringify(value)}. Write a whole number from 1 to ${String(most)}.`,
  );
  return undefined;
}
