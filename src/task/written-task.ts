import { z } from 'zod';
import { codeName, judgedLater, parseWritten, type WrittenForm } from '../config/written-form.js';
import { DEFINITION } from '../definition/brand.js';
import type { Task } from './task.js';

const json = z.unknown().optional();
const text = z.string().optional();
const names = z.array(z.string()).optional();

const handler = z.union([
  z.string(),
  z.strictObject({ callable: text, method: text, initialization: json }),
]);

const retry = z.strictObject({
  retryable: z.boolean().optional(),
  max_attempts: judgedLater,
  backoff: judgedLater,
  backoff_base_ms: judgedLater,
  max_backoff_ms: judgedLater,
});

const event = z.strictObject({ name: text, condition: judgedLater, schema: json });

const batchConfig = z.strictObject({
  batch_size: judgedLater,
  parallelism: judgedLater,
  cursor_field: text,
  worker_template: text,
  failure_strategy: judgedLater,
});

const approval = z.strictObject({ timeout: judgedLater, on_timeout: judgedLater, result: json });

const changeable = {
  description: text,
  handler: handler.optional(),
  retry: retry.optional(),
  timeout_seconds: judgedLater,
  publishes_events: z.array(event).optional(),
  batch_config: batchConfig.optional(),
  approval: approval.optional(),
  result_schema: json,
};

const step = z.strictObject({
  name: text,
  type: judgedLater,
  dependencies: names,
  depends_on: names,
  ...changeable,
});

const lifecycle = z.strictObject({
  max_duration: judgedLater,
  max_wait_for_dependencies: judgedLater,
  max_wait_for_retry: judgedLater,
  on_limit: judgedLater,
  on_error: judgedLater,
});

const taskSchema = z.strictObject({
  name: text,
  namespace_name: text,
  version: text,
  description: text,
  metadata: json,
  input_schema: json,
  steps: z.array(step).optional(),
  environments: z
    .record(
      z.string(),
      z.strictObject({
        lifecycle: lifecycle.optional(),
        steps: z.array(z.strictObject({ name: text, ...changeable })).optional(),
      }),
    )
    .optional(),
  lifecycle: lifecycle.optional(),
  domain_events: z
    .array(z.strictObject({ name: text, description: text, schema: json }))
    .optional(),
  identity_strategy: judgedLater,
});

/** A task template as YAML writes it (`depends_on`, `max_attempts`), in the form that the compiler takes. */
export function parseWrittenTask(value: Readonly<Record<string, unknown>>): WrittenForm<Task> {
  const { value: written, told, problems } = parseWritten(taskSchema, value);
  const definition = {
    ...withCodeNames(written),
    ...(written.steps !== undefined && { steps: written.steps.map(stepOf) }),
    ...(written.lifecycle !== undefined && { lifecycle: withCodeNames(written.lifecycle) }),
    ...(written.environments !== undefined && {
      environments: Object.fromEntries(
        Object.entries(written.environments).map(([name, { lifecycle: limits, steps }]) => [
          name,
          {
            ...(limits !== undefined && { lifecycle: withCodeNames(limits) }),
            ...(steps !== undefined && { steps: steps.map(stepOf) }),
          },
        ]),
      ),
    }),
  };
  const task: Task = { [DEFINITION]: 'task', name: written.name ?? '', written: definition };
  return { value: task, told, problems };
}

function stepOf(written: Partial<z.output<typeof step>>): Readonly<Record<string, unknown>> {
  const { retry: retries, batch_config: batch, approval: asked, ...rest } = written;
  return {
    ...withCodeNames(rest),
    ...(retries !== undefined && { retry: withCodeNames(retries) }),
    ...(batch !== undefined && { batchConfig: withCodeNames(batch) }),
    ...(asked !== undefined && { approval: withCodeNames(asked) }),
  };
}

/** The members by the names that code uses; what is in them is left as it is. */
function withCodeNames(
  written: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(written).map(([name, value]) => [codeName(name), value]),
  );
}
