import type { ExecutionLinks } from '../execution-body.js';

/** Which routes of pipelines are mounted, so that bodies link to nothing that is not there. */
export interface Mounted {
  /** `POST …/stream`, and the events of executions. */
  readonly stream: boolean;
  /** `POST …/async`, and the status, list and cancelling of executions. */
  readonly async: boolean;
}

/**
 * The links of an execution.
 *
 * @param base - the path of the pipeline: `/pipelines/summarize`
 */
export function linksOf(
  base: string,
  executionId: string,
  { stream, async }: Mounted,
): ExecutionLinks {
  const execution = `${base}/executions/${encodeURIComponent(executionId)}`;
  return {
    ...(async && { status_url: execution }),
    ...(stream && { events_url: `${execution}/events` }),
  };
}
