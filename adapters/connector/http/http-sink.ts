import { z } from 'zod';
import { defineSink } from '../../../src/data-flow/sink.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import { jsonText } from '../json-text.js';
import { unpredictable } from '../written.js';
import { headers, maxResponseBytes, send, timeoutMs, url } from '../../http/request.js';

const HttpSinkOptions = z.strictObject({
  url,
  method: z.enum(['POST', 'PUT', 'PATCH']).default('POST').describe('Of each request.'),
  headers,
  body: z
    .union([z.literal('array'), z.strictObject({ property: z.string().min(1) })])
    .default('array')
    .describe(
      '`array`: the body is the list of rows. `{ property: rows }`: an object that has the list there.',
    ),
  timeoutMs,
  maxResponseBytes,
});

/**
 * Sends each batch of rows as one request. Its `Idempotency-Key` is the same whenever the batch is sent again, so that the
 * receiver can drop what it has already.
 *
 * Ends with {@link HttpRequestFailed} for what may succeed later, and with permanent errors of type `HttpRequestRefused`.
 */
export const httpSink = defineSink({
  name: 'http',
  description: 'Sends batches of rows to an HTTP API.',
  options: HttpSinkOptions,
  open: ({ options, signal }) => ({
    write: async ({ rows, idempotencyKey }) => {
      if (rows.length === 0) return { written: unpredictable(0) };
      const { body } = options;
      const answer = await send({
        url: new URL(options.url),
        method: options.method,
        headers: {
          'content-type': 'application/json',
          ...options.headers,
          'idempotency-key': idempotencyKey,
        },
        body: jsonText(body === 'array' ? rows : { [body.property]: rows }),
        timeoutMs: options.timeoutMs,
        maxResponseBytes: options.maxResponseBytes,
        signal,
      });
      // Nobody says so to a request without a condition; it does not tell that the rows were taken.
      if (answer.status === 304)
        throw permanent('The receiver answered with 304.', undefined, 'HttpRequestRefused');
      return { written: unpredictable(rows.length) };
    },
  }),
});
