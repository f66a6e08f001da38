/** By this tasks are found that a limit has set aside: Temporal keeps it in `TemporalChangeVersion`, where visibility finds it. */
export const DEAD_LETTER_TAG = 'millrace.dead_letter';

/** Where the memo of such a task says what has set it aside. */
export const DEAD_LETTER_MEMO = 'deadLetter';

/**
 * Where the memo of a task that limits set aside says, from its start on, what it is where Temporal has to end it: without any worker until
 * after its time, no code of ours does.
 */
export const DEAD_LETTER_UNTOLD_MEMO = 'deadLetterUntold';

/** What such a task says. */
export function untoldReason(maxDurationMs: number): string {
  return `timeout: No worker was there to end the task after its ${String(maxDurationMs)} ms (max_duration).`;
}

/** What has set a task aside, as its memo has it; undefined where nothing has. @param isTimedOut - whether Temporal has ended it */
export function deadLetterOf(
  memo: Readonly<Record<string, unknown>> | undefined,
  isTimedOut: boolean,
): string | undefined {
  const reason =
    memo?.[DEAD_LETTER_MEMO] ?? (isTimedOut ? memo?.[DEAD_LETTER_UNTOLD_MEMO] : undefined);
  return typeof reason === 'string' ? reason : undefined;
}
