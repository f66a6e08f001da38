import { createShell } from '../../adapters/shell/shell.js';
import type { RunContext, StepContext } from '../../src/record-pipeline/record-pipeline.js';
import type { Body } from './body.js';

/** What the bodies of a run share of what they get. */
export type SharedContext = Omit<RunContext<unknown>, 'signal' | 'shell'>;

/** What a body gets. A class, since one is made for each record: what most bodies do not ask for is made when it is asked for. */
export class BodyContext implements StepContext<unknown, unknown> {
  readonly store: unknown;
  readonly assert: SharedContext['assert'];
  readonly log: SharedContext['log'];
  readonly run: SharedContext['run'];
  readonly services: SharedContext['services'];
  readonly #body: Body;

  constructor(
    { store, assert, log, run, services }: SharedContext,
    readonly record: unknown,
    body: Body,
  ) {
    this.store = store;
    this.assert = assert;
    this.log = log;
    this.run = run;
    this.services = services;
    this.#body = body;
  }

  get signal(): AbortSignal {
    return this.#body.signal;
  }

  /** Commands end with the body that has begun them. */
  get shell(): RunContext<unknown>['shell'] {
    return createShell(this.#body.signal);
  }
}
