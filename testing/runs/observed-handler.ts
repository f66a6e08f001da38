import type { Json } from '../../src/definition/json.js';
import { permanent } from '../../src/pipeline/permanent.js';
import type { ApiStepContext, HandlerMethod, StepHandler } from '../../src/task/handler.js';
import type { StepPlan } from '../../src/task/plan.js';
import { success, type StepResult } from '../../src/task/step-result.js';
import type { StepStub } from './stub.js';

/** The results of those that a step depends on, by their names. */
export type StepGot = Readonly<Record<string, Json>>;

/** The handler of one step of a task: it knows what it gets, and something may stand in for it. */
export class ObservedHandler {
  /** Undefined: its own code runs. */
  stub: StepStub | undefined;
  /** Why what stands in for it cannot. */
  refusal: string | undefined;
  /** By the names of steps: of a batch, there are several. */
  readonly got = new Map<string, StepGot>();
  /** Steps for which what stands in for it has returned: what is wrong with that is the stub's. */
  readonly returned = new Set<string>();

  constructor(
    readonly step: StepPlan,
    private readonly real: StepHandler,
  ) {}

  /** As it is registered, under another name. */
  get handler(): StepHandler {
    const { api, ...real } = this.real;
    const methods = Object.entries(real.methods).map(
      ([name, run]) => [name, this.#observed(run)] as const,
    );
    return {
      ...real,
      methods: Object.fromEntries(methods),
      // A stub calls no API, and what the real one would need for that need not be there.
      ...(this.stub === undefined && api !== undefined && { api }),
    };
  }

  /** Notes why it cannot go on. @throws what ends the step for it */
  refuse(reason: string): never {
    this.refusal ??= reason;
    throw permanent(reason, undefined, 'StubRefused');
  }

  #observed(run: HandlerMethod<ApiStepContext>): HandlerMethod<ApiStepContext> {
    return async (context) => {
      const { name } = context.step;
      const results = context
        .getAllDependencyResults()
        .flatMap((one) => (one.result === undefined ? [] : [[one.name, one.result] as const]));
      this.got.set(name, structuredClone(Object.fromEntries(results)));
      this.returned.delete(name);
      const { stub } = this;
      if (stub === undefined) return run(context);
      const answer: StepResult | Json | undefined =
        typeof stub === 'function' ? await stub(context) : stub;
      this.returned.add(name);
      return answer ?? success();
    };
  }
}
