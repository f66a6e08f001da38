import { z } from 'zod';
import { defineSink } from '../../../src/data-flow/sink.js';
import { jsonText } from '../json-text.js';
import { unpredictable } from '../written.js';
import { append, sinkPath } from './file-options.js';
import { FileWriter } from './file-writer.js';
import { sinkState } from './sink-state.js';

/**
 * Writes each row as a line of JSON (NDJSON, JSON Lines). Each batch is on the disk before its receipt; what a crash has left
 * behind the last receipt is cut off when the file is opened.
 */
export const ndjsonSink = defineSink({
  name: 'ndjson',
  description: 'Writes rows to a file, each as a line of JSON.',
  options: z.strictObject({ path: sinkPath, append }),
  open: async ({ options, dir, state }) => {
    const { path, append: appends } = options;
    const bytes = sinkState(state)?.bytes;
    const file = await FileWriter.open({ dir, path, bytes, append: appends });
    return {
      state: { bytes: file.bytes },
      write: async ({ rows }) => {
        const start = (await file.atLineStart()) ? '' : '\n';
        if (rows.length > 0)
          await file.write(start + rows.map((row) => `${jsonText(row)}\n`).join(''));
        return { written: unpredictable(rows.length), state: { bytes: file.bytes } };
      },
      close: () => file.close(),
    };
  },
});
