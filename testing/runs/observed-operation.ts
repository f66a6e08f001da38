import type { JsonObject } from '../../src/definition/json.js';
import type { Body, DerivedReturn, OperationContext } from '../../src/pipeline/context.js';
import { permanent } from '../../src/pipeline/permanent.js';
import type { Operation } from '../../src/pipeline/operation.js';
import type { OperationStub } from './stub.js';

type Each = OperationContext & { readonly input: JsonObject };
type Several = OperationContext & { readonly inputs: readonly JsonObject[] };

/** An operation in its place in a pipeline: it knows what it gets, and something may stand in for it. */
export class ObservedOperation {
  /** Undefined: its own body runs. */
  stub: OperationStub | undefined;
  /** Why what stands in for it cannot. */
  refusal: string | undefined;
  /** What has come to it in its last attempt. */
  got: JsonObject[] = [];
  /** True when what stands in for it has returned: what its contract refuses then is the stub's. */
  hasReturned = false;
  #attempt = 0;

  constructor(
    readonly stage: string,
    readonly name: string,
    private readonly real: Operation,
  ) {}

  get type(): string {
    return this.real.name;
  }

  /** As it is registered. Its contract is the real one's. */
  get operation(): Operation {
    return { ...this.real, body: this.#body(this.real.body) };
  }

  /** Notes why it cannot go on. @throws what ends the run for it */
  refuse(reason: string): never {
    this.refusal ??= reason;
    throw permanent(reason, undefined, 'StubRefused');
  }

  #body(real: Body): Body {
    switch (real.kind) {
      case 'each':
        return { kind: 'each', run: async (context) => this.#each(real, context) };
      case 'batch':
        return { kind: 'batch', run: async (context) => this.#batch(real, context) };
      case 'derive':
        return { kind: 'derive', run: async (context) => this.#derive(real, context) };
    }
  }

  async #each(real: Body & { readonly kind: 'each' }, context: Each): Promise<JsonObject> {
    const { input } = context;
    this.#note(context.attempt, [input]);
    const { stub } = this;
    const at = this.got.length - 1;
    const answer =
      stub === undefined
        ? await real.run(context)
        : typeof stub === 'function'
          ? await stub({ ...context, inputs: [input] })
          : isList(stub)
            ? (stub[at] ?? this.refuse(`it got more than ${String(stub.length)} namespaces.`))
            : stub;
    this.hasReturned = stub !== undefined;
    // What it really is, its contract checks next.
    return answer as JsonObject;
  }

  async #batch(
    real: Body & { readonly kind: 'batch' },
    context: Several,
  ): Promise<readonly JsonObject[]> {
    const { inputs } = context;
    this.#note(context.attempt, inputs);
    const { stub } = this;
    if (stub === undefined) return (await real.run(context)) as readonly JsonObject[];
    const answer =
      typeof stub === 'function' ? await stub({ ...context, input: inputs[0] ?? {} }) : stub;
    this.hasReturned = true;
    // As above.
    return (isList(answer) ? answer : inputs.map(() => answer)) as readonly JsonObject[];
  }

  async #derive(
    real: Body & { readonly kind: 'derive' },
    context: Several,
  ): Promise<readonly DerivedReturn[]> {
    const { inputs } = context;
    this.#note(context.attempt, inputs);
    const { stub } = this;
    if (stub === undefined) return real.run(context);
    const answer =
      typeof stub === 'function' ? await stub({ ...context, input: inputs[0] ?? {} }) : stub;
    if (!isDerivedList(answer))
      return this.refuse('it changes the number of namespaces: give a list of { from, set }.');
    this.hasReturned = true;
    return answer;
  }

  #note(attempt: number, inputs: readonly JsonObject[]): void {
    if (attempt !== this.#attempt) this.got = [];
    this.#attempt = attempt;
    this.hasReturned = false;
    // A body may change what it gets.
    this.got.push(...structuredClone(inputs));
  }
}

function isList(value: unknown): value is readonly JsonObject[] {
  return Array.isArray(value);
}

function isDerivedList(value: unknown): value is readonly DerivedReturn[] {
  return (
    Array.isArray(value) &&
    value.every(
      (one: unknown) => typeof one === 'object' && one !== null && 'from' in one && 'set' in one,
    )
  );
}
