import path from 'node:path';
import { z } from 'zod';
import type { Json, JsonObject } from '../../../src/definition/json.js';
import { permanent } from '../../../src/pipeline/permanent.js';

const FileSinkState = z.object({
  /** What it is the state of, see {@link placeOf}. */
  path: z.string(),
  /** Length of the file. */
  bytes: z.int().min(0),
  /** Of a CSV file, as its first row has fixed them. */
  columns: z.array(z.string()).optional(),
});

/** What the sink of a file has to know when it is opened again. */
export type FileSinkState = z.output<typeof FileSinkState>;

/**
 * A state as it comes back; undefined when there is none yet, and when it is of another file: of how much of this one counts it
 * says nothing.
 *
 * @throws a permanent error of type `InvalidState`
 */
export function sinkState(state: Json, place: string): FileSinkState | undefined {
  if (state === null) return undefined;
  const parsed = FileSinkState.safeParse(state);
  if (parsed.success) return parsed.data.path === place ? parsed.data : undefined;
  throw permanent("The sink's state is not one of a file. Reset the flow.", state, 'InvalidState');
}

/** A state as it is kept. */
export function stateJson({ path: place, bytes, columns }: FileSinkState): JsonObject {
  return columns === undefined ? { path: place, bytes } : { path: place, bytes, columns };
}

/** A file as states name it: within the project's folder by its way from there, so that the folder may be moved. */
export function placeOf(dir: string, file: string): string {
  const absolute = path.resolve(dir, file);
  const relative = path.relative(dir, absolute);
  const isWithin = relative.split(path.sep)[0] !== '..' && !path.isAbsolute(relative);
  return isWithin ? relative.split(path.sep).join('/') : absolute;
}
