/** Why we pause schedules ourselves. Everything else that is paused was paused by an operator. */
const REASONS = {
  disabled: 'Millrace: the flow is disabled (enabled: false).',
  orphaned:
    'Millrace: no deployed code has had this flow for a while. Remove it with `millrace flows prune`.',
} as const;

/** Between our reason and the note that the schedule had before. */
const NOTED_BEFORE = ' Noted before: ';

/** The note of a schedule that we pause. An operator's note stays in it. */
export function pauseNote(reason: keyof typeof REASONS, before: string): string {
  const theirs = operatorsNote(before);
  return theirs === '' ? REASONS[reason] : `${REASONS[reason]}${NOTED_BEFORE}${theirs}`;
}

/** True for the note of a schedule that we have paused ourselves. */
export function isPauseNote(note: string): boolean {
  return reasonIn(note) !== undefined;
}

/** What an operator has written of a schedule's note: all of it, unless we have paused it. */
export function operatorsNote(note: string): string {
  const reason = reasonIn(note);
  return reason === undefined ? note : note.slice(reason.length + NOTED_BEFORE.length);
}

function reasonIn(note: string): string | undefined {
  return Object.values(REASONS).find(
    (reason) => note === reason || note.startsWith(`${reason}${NOTED_BEFORE}`),
  );
}
