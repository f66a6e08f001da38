/** By this tasks are found that a limit has set aside: Temporal keeps it in `TemporalChangeVersion`, where visibility finds it. */
export const DEAD_LETTER_TAG = 'millrace.dead_letter';

/** Where the memo of such a task says what has set it aside. */
export const DEAD_LETTER_MEMO = 'deadLetter';
