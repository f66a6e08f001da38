import type { AttributeRun } from '../../src/attribute-pipeline/run.js';

/** Another run of the pipeline goes on. */
export class AttributeRunActive extends Error {
  override readonly name = 'AttributeRunActive';
  constructor(readonly run: AttributeRun) {
    const { id, entityType, attribute, startedAt } = run;
    super(
      `Run ${id} of ${entityType}.${attribute} goes on since ${startedAt.toISOString()}. Wait for its end, cancel it, or have the new run wait for it (queue).`,
    );
  }
}

/** The run, or the refresh, has ended already. */
export class AttributeRunOver extends Error {
  override readonly name = 'AttributeRunOver';
  constructor(
    readonly runId: string,
    readonly status: string,
    what: 'Run' | 'Refresh' = 'Run',
  ) {
    super(`${what} ${runId} is over: ${status}. There is nothing to cancel.`);
  }
}

/** A definition of the project is called as the pipeline would be. */
export class PipelineNameTaken extends Error {
  override readonly name = 'PipelineNameTaken';
  constructor(readonly pipeline: string) {
    super(
      `The project has a definition called "${pipeline}", as the pipeline of this attribute would be. Rename the definition, or the attribute.`,
    );
  }
}
