import { z } from 'zod';
import { codeName, judgedLater, parseWritten, type WrittenForm } from '../config/written-form.js';
import { DEFINITION } from '../definition/brand.js';
import type { Pipeline } from './pipeline.js';

/** Retries as YAML writes them. */
export const writtenRetry = z.strictObject({
  maximum_attempts: z.number().optional(),
  initial_interval: judgedLater,
  backoff_coefficient: z.number().optional(),
  maximum_interval: judgedLater,
});

const operation = z.preprocess(
  (written) => (typeof written === 'string' ? { type: written } : written),
  z.strictObject({
    type: z.string().optional(),
    name: z.string().optional(),
    model: z.string().optional(),
    timeout: judgedLater,
    options: z.record(z.string(), z.unknown()).optional(),
    ignore_errors: z.union([z.boolean(), z.array(z.string())]).optional(),
    retry: writtenRetry.optional(),
  }),
);

const stage = z.strictObject({
  name: z.string().optional(),
  timeout: judgedLater,
  merge: judgedLater,
  parallel: judgedLater,
  operations: z.array(operation).optional(),
});

const pipelineSchema = z.strictObject({
  name: z.string().optional(),
  description: z.string().optional(),
  timeout: judgedLater,
  merge: judgedLater,
  result: judgedLater,
  stages: z.array(stage).optional(),
});

/** A pipeline as YAML writes it (`ignore_errors`, `maximum_attempts`), in the form that the compiler takes. */
export function parseWrittenPipeline(
  value: Readonly<Record<string, unknown>>,
): WrittenForm<Pipeline> {
  const { value: written, told, problems } = parseWritten(pipelineSchema, value);
  return { value: definitionOf(written), told, problems };
}

function definitionOf(written: z.output<typeof pipelineSchema>): Pipeline {
  const definition = {
    ...written,
    ...(written.stages !== undefined && {
      stages: written.stages.map((item) => ({
        ...item,
        ...(item.operations !== undefined && { operations: item.operations.map(useOf) }),
      })),
    }),
  };
  // The compiler looks at everything that this type promises and a file may lack.
  return { [DEFINITION]: 'pipeline', ...definition } as unknown as Pipeline;
}

function useOf({
  ignore_errors: ignoreErrors,
  retry: written,
  ...use
}: z.output<typeof operation>): object {
  return {
    ...use,
    ...(ignoreErrors !== undefined && { ignoreErrors }),
    ...(written !== undefined && { retry: retryOf(written) }),
  };
}

/** Retries with the names that code uses. */
export function retryOf(written: z.output<typeof writtenRetry>): object {
  return Object.fromEntries(
    Object.entries(written).map(([name, value]) => [codeName(name), value]),
  );
}
