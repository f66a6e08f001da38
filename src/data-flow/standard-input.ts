/** The path by which the source of a file reads what was piped into `millrace flows run NAME --stdin`. */
export const STANDARD_INPUT = '-';

/** Where that command keeps it for the worker, in the project's folder. A flow has one run at a time, and so one file. */
export function spoolPath(flow: string): string {
  return `.millrace/spool/${flow}`;
}
