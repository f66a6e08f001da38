import { z } from 'zod';
import { defineSink } from '../../../src/data-flow/sink.js';
import type { Json } from '../../../src/definition/json.js';
import { jsonText } from '../json-text.js';
import { unpredictable } from '../written.js';
import { append, sinkPath } from './file-options.js';
import { FileWriter } from './file-writer.js';
import { placeOf, sinkState, stateJson } from './sink-state.js';

/**
 * Writes each row as a line of JSON (NDJSON, JSON Lines). Each batch is on the disk before its receipt; what a crash has left
 * behind the last receipt is cut off before the next is written. Another path is another file, which is begun.
 */
export const ndjsonSink = defineSink({
  name: 'ndjson',
  description: 'Writes rows to a file, each as a line of JSON.',
  options: z.strictObject({ path: sinkPath, append }),
  open: async ({ options, dir, state }) => {
    const { path, append: appends } = options;
    const place = placeOf(dir, path);
    const known = sinkState(state, place);
    const file = await FileWriter.open({ dir, path, bytes: known?.bytes, append: appends });
    const now = (): Json => stateJson({ path: place, bytes: file.bytes });
    return {
      state: now(),
      write: async ({ rows }) => {
        if (rows.length > 0) {
          const start = (await file.atLineStart()) ? '' : '\n';
          await file.write(start + rows.map((row) => `${jsonText(row)}\n`).join(''));
        }
        return { written: unpredictable(rows.length), state: now() };
      },
      close: () => file.close(),
    };
  },
});
