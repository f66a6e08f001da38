import type { Project } from '../../engine/project/load-project.js';
import type { Recording } from '../../engine/recording/recording.js';
import type { StepPlan } from '../../src/task/plan.js';
import { requireDefinition, withDefinition } from './definition-run.js';
import { ObservedHandler } from './observed-handler.js';
import { RecordedSteps } from './recorded-steps.js';
import { RecordingOutdated, StubUnknown } from './stub-errors.js';
import type { StepStub, StepStubs } from './stub.js';

/** What stands in for the handlers of a task. */
export interface TaskStubs {
  readonly handlers?: StepStubs | undefined;
  /** Stands in for all others. */
  readonly recording?: (Recording & { readonly kind: 'task' }) | undefined;
  /** Those for which it does not, by the names of steps or handlers. */
  readonly real?: readonly string[] | undefined;
}

/** What an approval waits that nobody answered in the recorded run. */
const UNANSWERED_MS = 10;

/** A task for whose handlers stubs may stand. Each step has a handler of its own, which knows what it gets. */
export class StubbedTask {
  readonly handlers: readonly ObservedHandler[];
  readonly project: Project;

  /** @throws {@link StubUnknown}, {@link RecordingOutdated}, {@link DefinitionNotFound} */
  constructor(project: Project, name: string, stubs: TaskStubs) {
    const definition = requireDefinition(project, 'task', name);
    const { plan } = definition;
    const { recording } = stubs;
    const recorded = recording === undefined ? undefined : new RecordedSteps(recording);
    requireKnown(name, plan.steps, stubs, recorded);
    const stepHandlers = new Map(project.registry.stepHandlers);
    const handlers: ObservedHandler[] = [];
    const steps = plan.steps.map((step): StepPlan => {
      const { handler, approval } = step;
      if (handler === undefined)
        return approval !== undefined && recorded?.isUnanswered(step.name) === true
          ? { ...step, approval: { ...approval, timeoutMs: UNANSWERED_MS } }
          : step;
      const real = stepHandlers.get(handler.callable);
      // A plan has only handlers that are registered.
      if (real === undefined) throw new TypeError(`no step handler "${handler.callable}"`);
      const observed = new ObservedHandler(step, real);
      observed.stub = stubOf(observed, stubs, recorded);
      handlers.push(observed);
      const callable = `${handler.callable}@${step.name}`;
      stepHandlers.set(callable, observed.handler);
      return { ...step, handler: { ...handler, callable } };
    });
    this.handlers = handlers;
    const changed = withDefinition(project, {
      ...definition,
      plan: { ...plan, steps },
      // The same test may run twice, on the same server.
      identityStrategy: 'always_unique',
    });
    this.project = { ...changed, registry: { ...changed.registry, stepHandlers } };
  }
}

function stubOf(
  observed: ObservedHandler,
  { handlers = {}, real = [] }: TaskStubs,
  recorded: RecordedSteps | undefined,
): StepStub | undefined {
  const names = namesOf(observed.step);
  const named = names.find((name) => Object.hasOwn(handlers, name));
  if (named !== undefined) return handlers[named];
  return names.some((name) => real.includes(name)) ? undefined : recorded?.stubOf(observed);
}

/** What the code of a step may be called, the most exact first. */
function namesOf({ name, handler }: StepPlan): readonly string[] {
  return handler === undefined ? [] : [name, handler.callable];
}

function requireKnown(
  name: string,
  steps: readonly StepPlan[],
  { handlers = {}, real = [] }: TaskStubs,
  recorded: RecordedSteps | undefined,
): void {
  const known = [...new Set(steps.flatMap(namesOf))];
  const unknown = [...Object.keys(handlers), ...real].filter((one) => !known.includes(one));
  if (unknown.length > 0) throw new StubUnknown(name, unknown, known);
  const gone = recorded?.goneFrom(steps) ?? [];
  if (gone.length > 0) throw new RecordingOutdated(name, gone);
}
