import { z } from 'zod';
import type { Json } from '../../../src/definition/json.js';
import { permanent } from '../../../src/pipeline/permanent.js';

const FileSinkState = z.object({
  /** Length of the file. */
  bytes: z.int().min(0),
  /** Of a CSV file, as its first row has fixed them. */
  columns: z.array(z.string()).optional(),
});

/** What the sink of a file has to know when it is opened again. */
type FileSinkState = z.output<typeof FileSinkState>;

/**
 * A state as it comes back; undefined when there is none yet.
 *
 * @throws a permanent error of type `InvalidState`
 */
export function sinkState(state: Json): FileSinkState | undefined {
  if (state === null) return undefined;
  const parsed = FileSinkState.safeParse(state);
  if (parsed.success) return parsed.data;
  throw permanent("The sink's state is not one of a file. Reset the flow.", state, 'InvalidState');
}
