import type { InputContract } from '../contract/input-contract.js';
import { InvalidSchema } from '../contract/schema-validation.js';
import { isPlainObject, ownMember, type JsonObject } from '../definition/json.js';
import { nameProblem } from '../definition/name.js';
import type { Problem, Site } from '../definition/problem.js';
import { unknownName } from '../definition/unknown-name.js';
import { hash } from '../pipeline/contract-hash.js';
import { checkFitness } from '../pipeline/operation-check.js';
import { checkPlanSize } from '../pipeline/plan-size.js';
import { ProblemList, type Path } from '../pipeline/problem-list.js';
import { checkedOverrides, type CheckedStep, type Overrides } from './environments-check.js';
import { graphProblems, inOrder } from './graph.js';
import type { StepHandler } from './handler.js';
import { checkLifecycle } from './lifecycle-check.js';
import { checkLimits } from './limit-check.js';
import { TASK_DEFAULTS, TASK_LIMITS } from './limits.js';
import { STEP_TYPES, TASK_INTERPRETER, type TaskPlan } from './plan.js';
import { checkDomainEvents, checkListed } from './event-check.js';
import { checkedHandler, checkStepSettings, STEP_KEYS } from './step-check.js';
import { graphSteps, lifecyclePlan, stepPlan } from './step-plan.js';
import {
  IDENTITY_STRATEGIES,
  type DomainEvent,
  type IdentityStrategy,
  type Lifecycle,
  type Task,
  type TaskDefinition,
} from './task.js';
import { taskInput } from './task-input.js';
import { checkOneOf, checkText, type Written } from './value-check.js';

/** A task that can be started. */
export interface CompiledTask extends InputContract {
  readonly kind: 'task';
  readonly name: string;
  readonly description?: string;
  readonly site?: Site;
  readonly plan: TaskPlan;
  readonly planHash: string;
  readonly identityStrategy: IdentityStrategy;
  readonly metadata?: JsonObject;
  readonly outputSchema: JsonObject;
}

/** A template with the way to its places in a file. */
export interface TaskSource {
  readonly definition: Task;
  readonly locate: (path: Path) => Site | undefined;
  /** Places of which it has been told already that something is wrong there. */
  readonly told?: readonly Path[];
}

/** What a template is compiled against. */
export interface TaskEnvironment {
  readonly handlers: ReadonlyMap<string, StepHandler>;
  /** The environment whose overrides hold: `production`. */
  readonly environment?: string;
}

const TASK_KEYS: readonly string[] = Object.keys({
  name: true,
  namespaceName: true,
  version: true,
  description: true,
  metadata: true,
  inputSchema: true,
  steps: true,
  environments: true,
  lifecycle: true,
  domainEvents: true,
  identityStrategy: true,
} satisfies Record<keyof TaskDefinition, true>);

/** What to do about a plan that is too large. */
const PLAN_HINT = 'Move what initialization and schemas hold into files or services.';

/** Compiles a template. Nothing is thrown for a wrong one; every problem is returned, with its place. */
export function compileTask(
  { definition, locate, told }: TaskSource,
  environment: TaskEnvironment,
): { readonly task?: CompiledTask; readonly problems: readonly Problem[] } {
  const problems = new ProblemList(locate, definition.name, told);
  const { written } = definition;
  checkHead(written, problems);
  const input = checkedInput(written['inputSchema'], problems);
  const steps = checkedSteps(written['steps'], environment.handlers, problems);
  for (const { step, at } of steps) checkListed(step, written['domainEvents'], at, problems);
  const overrides = checkedOverrides(
    written['environments'],
    steps,
    environment.handlers,
    problems,
  );
  checkLimits(written, steps, overrides, problems);
  if (problems.hasErrors() || input === undefined) return { problems: problems.all() };
  const chosen = ownMember(overrides, environment.environment ?? '');
  const plan = planOf(written, steps, chosen);
  checkPlanSize(plan, PLAN_HINT, problems);
  if (problems.hasErrors()) return { problems: problems.all() };
  const site = locate([]);
  const { description, metadata, identityStrategy } = written;
  const task: CompiledTask = {
    kind: 'task',
    name: definition.name,
    ...(typeof description === 'string' && { description }),
    ...(site !== undefined && { site }),
    plan,
    planHash: hash(plan),
    // What is wrong with these was told above.
    identityStrategy: (identityStrategy as IdentityStrategy | undefined) ?? 'always_unique',
    ...(isPlainObject(metadata) && { metadata: metadata as JsonObject }),
    outputSchema: OUTPUT_SCHEMA,
    ...input,
  };
  return { task, problems: problems.all() };
}

const OUTPUT_SCHEMA: JsonObject = {
  type: 'object',
  required: ['status', 'results'],
  properties: {
    status: { enum: ['complete', 'resolved_manually'] },
    results: { type: 'object', additionalProperties: true },
    left_out: { type: 'array', items: { type: 'string' } },
  },
};

function planOf(
  written: Written,
  steps: readonly CheckedStep[],
  overrides: Overrides | undefined,
): TaskPlan {
  const graph = graphSteps(steps.map(({ step }) => step));
  const { name, namespaceName, version, domainEvents = [] } = written;
  const plans = new Map(
    steps.map(({ step }) => {
      const over = overrides?.steps.get(String(step['name']))?.step ?? {};
      // They were checked.
      const plan = stepPlan(step, over, { graph, domainEvents: domainEvents as DomainEvent[] });
      return [plan.name, plan] as const;
    }),
  );
  return {
    kind: 'task',
    interpreter: TASK_INTERPRETER,
    name: String(name),
    namespace: typeof namespaceName === 'string' ? namespaceName : TASK_DEFAULTS.namespace,
    version: typeof version === 'string' ? version : TASK_DEFAULTS.version,
    lifecycle: lifecyclePlan(
      { ...(written['lifecycle'] as Lifecycle | undefined), ...overrides?.lifecycle },
      sum([...plans.values()].map(({ approval }) => approval?.timeoutMs ?? 0)),
    ),
    steps: inOrder(graph).flatMap(({ name: step }) => plans.get(step) ?? []),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function checkHead(written: Written, problems: ProblemList): void {
  const wrong = nameProblem(written['name'], 'fulfil-order');
  if (wrong !== undefined) problems.add(['name'], `task ${wrong}`);
  problems.unknownKeys('', written, TASK_KEYS);
  for (const key of ['namespaceName', 'version', 'description'])
    checkText(written, key, '', problems);
  checkOneOf(written, 'identityStrategy', IDENTITY_STRATEGIES, '', problems);
  checkLifecycle(written['lifecycle'], '', problems.under(['lifecycle']));
  const { metadata, domainEvents } = written;
  if (metadata !== undefined && !isPlainObject(metadata))
    problems.add(['metadata'], 'metadata must be an object.');
  checkDomainEvents(domainEvents, problems);
}

function checkedInput(written: unknown, problems: ProblemList): InputContract | undefined {
  try {
    checkFitness(written, 'inputSchema', 'input', '', problems);
    return taskInput(written);
  } catch (error) {
    if (!(error instanceof InvalidSchema)) throw error;
    problems.add(['inputSchema'], `input_schema is no JSON Schema: ${error.message}.`);
    return undefined;
  }
}

function checkedSteps(
  written: unknown,
  handlers: TaskEnvironment['handlers'],
  problems: ProblemList,
): readonly CheckedStep[] {
  if (!Array.isArray(written) || written.length === 0) {
    problems.add(['steps'], 'a task needs steps: a list with at least one of them.');
    return [];
  }
  if (written.length > TASK_LIMITS.steps)
    problems.add(
      ['steps'],
      `there are ${String(written.length)} steps; the most is ${String(TASK_LIMITS.steps)} (steps).`,
    );
  const names = new Set<string>();
  const steps = (written as readonly unknown[]).flatMap((step, at): readonly CheckedStep[] => {
    const here = problems.under(['steps', at]);
    if (!isPlainObject(step)) {
      here.add([], `step ${String(at + 1)} is none. Write { name, handler }.`);
      return [];
    }
    const checked = checkStep(step, at, names, handlers, here);
    return checked === undefined ? [] : [checked];
  });
  checkGraph(steps, steps.length === written.length, problems);
  return steps;
}

const STEP_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,99}$/;

function checkStep(
  step: Written,
  at: number,
  names: Set<string>,
  handlers: TaskEnvironment['handlers'],
  problems: ProblemList,
): CheckedStep | undefined {
  const { name } = step;
  const what = typeof name === 'string' ? `step "${name}": ` : `step ${String(at + 1)}: `;
  problems.unknownKeys(what, step, STEP_KEYS);
  checkName(name, what, names, problems);
  checkOneOf(step, 'type', STEP_TYPES, what, problems);
  const type = STEP_TYPES.find((known) => known === (step['type'] ?? 'standard')) ?? 'standard';
  const known = STEP_TYPES.some((one) => one === (step['type'] ?? 'standard'));
  // Of a type that there is not, nobody knows what belongs to it.
  checkStepSettings(step, what, known ? type : undefined, problems);
  if (known) checkedHandler(step['handler'], type, handlers, what, problems);
  if (step['dependencies'] !== undefined && step['dependsOn'] !== undefined)
    problems.add(
      ['dependsOn'],
      `${what}dependencies and depends_on are the same. Write one of them.`,
    );
  if (type === 'batchable' && !hasWorker(step))
    problems.add(
      ['batchConfig'],
      `${what}a batchable step needs batch_config: { worker_template: load_rows }.`,
    );
  return typeof name === 'string' ? { step, at, type } : undefined;
}

function checkName(name: unknown, what: string, names: Set<string>, problems: ProblemList): void {
  if (typeof name !== 'string' || !STEP_NAME.test(name))
    problems.add(
      ['name'],
      `${what}a step needs a name of letters, digits, "_" and "-" that starts with a letter.`,
    );
  else if (names.has(name))
    problems.add(['name'], `${what}there is a step of this name before. Give each its own.`);
  else names.add(name);
}

function hasWorker({ batchConfig }: Written): boolean {
  return isPlainObject(batchConfig) && typeof batchConfig['workerTemplate'] === 'string';
}

/** @param isWhole - whether these are all the steps that there are: what else is wrong may follow from one that is none */
function checkGraph(steps: readonly CheckedStep[], isWhole: boolean, problems: ProblemList): void {
  const graph = graphSteps(steps.map(({ step }) => step));
  const names = [...new Set(graph.map(({ name }) => name))];
  for (const [index, { step, at }] of steps.entries()) {
    const here = problems.under(['steps', at]);
    const what = `step "${String(step['name'])}": `;
    const key = step['dependsOn'] === undefined ? 'dependencies' : 'dependsOn';
    const listed = step[key];
    if (listed !== undefined && !Array.isArray(listed))
      here.add([key], `${what}dependencies must be a list of names of steps.`);
    for (const [place, name] of (Array.isArray(listed)
      ? (listed as readonly unknown[])
      : []
    ).entries())
      if (!names.includes(String(name)))
        here.add(
          [key, place],
          `${what}${unknownName(
            String(name),
            names.filter((other) => other !== step['name']),
            'step',
          )}`,
        );
    const worker = graph[index]?.worker;
    if (worker !== undefined && !names.includes(worker))
      here.add(
        ['batchConfig', 'workerTemplate'],
        `${what}worker_template: ${unknownName(worker, names, 'step')}`,
      );
  }
  for (const { step, message, severity } of isWhole ? graphProblems(graph) : []) {
    const at = graph.findIndex(({ name }) => name === step);
    problems.add(['steps', at], `step "${step}": ${message}`, severity);
  }
}
