import { collectDefaultMetrics, register } from 'prom-client';
import type { Handler } from '../middleware/chain.js';

/** A metric that {@link collectDefaultMetrics} registers: it may be called once for a process. */
const A_DEFAULT = 'process_start_time_seconds';

/** `GET /metrics`: the metrics of this process, as Prometheus reads them. */
export function metrics(): Handler {
  if (register.getSingleMetric(A_DEFAULT) === undefined) collectDefaultMetrics();
  return async (ctx) => {
    const text = await register.metrics();
    ctx.set('Content-Type', register.contentType);
    ctx.body = text;
  };
}
