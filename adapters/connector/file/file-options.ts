import { z } from 'zod';

/** Options that the sources of files share. */
export const sourcePath = z
  .string()
  .min(1)
  .describe(
    "The file; a relative path starts in the project's folder. `-` is what was piped into `millrace flows run NAME --stdin`.",
  );

export const encoding = z
  .enum(['utf8', 'latin1'])
  .default('utf8')
  .describe('Of the file. A byte order mark is not part of the first row.');

export const maxRowBytes = z
  .int()
  .min(1)
  .max(16 * 1024 * 1024)
  .default(1024 * 1024)
  .describe('Longest row, in bytes. A longer one is an error.');

export const appended = z
  .boolean()
  .default(false)
  .describe(
    'Something appends to the file: a last line without a line break may be unfinished, and is left for the next run.',
  );

/** Options that the sinks of files share. */
export const sinkPath = z
  .string()
  .min(1)
  .describe(
    "The file; a relative path starts in the project's folder. It is made with its folder where they are missing.",
  );

export const append = z
  .boolean()
  .default(false)
  .describe(
    'The first run that writes to this path appends to what the file has already. Otherwise it begins the file anew. Runs after it go on in any case, until one has another path.',
  );
