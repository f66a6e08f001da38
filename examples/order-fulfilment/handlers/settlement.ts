import {
  batches,
  defineApiHandler,
  defineBatchableHandler,
  defineStepHandler,
  noBatches,
  permanent,
  success,
  type ApiClient,
} from 'millrace';
import { countOrders, readOrders, type OrderRow } from '../orders/order-file.js';
import { sizeOf, type SizeLimits } from '../orders/order-size.js';
import { charge, paymentsUrl } from '../orders/payments.js';
import { addSettlements, EMPTY_SETTLEMENT, type Settlement } from '../orders/settlement.js';
import { sizeLimits } from '../orders/size-limits.js';

export const divideOrders = defineBatchableHandler({
  name: 'divide_orders',
  description: 'Divides the rows of a file into ranges of batch_size.',
  run: async ({ getTaskField }) => {
    const total = await countOrders(getTaskField<string>('file') ?? '');
    return total === 0 ? noBatches({ rows: 0 }) : batches({ total }, { rows: total });
  },
});

export const settleRange = defineApiHandler({
  name: 'settle_range',
  description: 'Charges the orders of one range of rows.',
  baseUrl: paymentsUrl,
  timeout: '10s',
  run: async (context) => {
    const { api, batch, checkpointYield, getTaskField, log, signal } = context;
    if (batch === undefined) throw permanent('settle_range has to be a batch_worker');
    if (context.isRetry()) log.info({ cursor: batch.cursor }, 'going on from the checkpoint');
    const limits = sizeLimits(context);
    const { cursor, end } = batch;
    const rows = await readOrders(getTaskField<string>('file') ?? '', { start: cursor, end });

    // What an attempt before this one has counted, and where it has come, were kept together: no row is counted twice.
    let settled = {
      ...EMPTY_SETTLEMENT,
      ...(batch.accumulated as Partial<Settlement> | undefined),
    };
    for (const [index, row] of rows.entries()) {
      signal.throwIfAborted();
      const next = cursor + index + 1;
      const one = await settleRow(row, next, limits, api);
      settled = addSettlements(settled, { ...EMPTY_SETTLEMENT, ...one });
      checkpointYield({ cursor: next, accumulated: { ...settled } });
    }
    return success({ ...settled });
  },
});

/** What becomes of one row. @param number - counted from 1 */
async function settleRow(
  row: OrderRow,
  number: number,
  limits: SizeLimits,
  api: ApiClient,
): Promise<Partial<Settlement>> {
  if (row.order === undefined) return { refused: [{ row: number, reason: row.refused }] };
  const { orderId, amountCents } = row.order;
  // A person has to approve those, one by one.
  if (sizeOf(amountCents, limits) === 'large') return { held: [orderId] };
  const { outcome } = await charge(api, row.order);
  return outcome === 'declined'
    ? { declined: [orderId] }
    : { charged: 1, charged_cents: amountCents };
}

export const summarizeSettlement = defineStepHandler({
  name: 'summarize_settlement',
  description: 'Adds up what the workers have settled.',
  run: ({ getDependencyField, getAllDependencyResults }) => {
    const workers = getAllDependencyResults('settle_range');
    // Results of settle_range are such. Of a worker that has failed for good there is none, though it may have charged some of its rows:
    // to settle the file again counts those, and charges none twice.
    const settlements = workers.flatMap(({ result }) => (result ?? []) as Settlement | []);
    return success({
      rows: getDependencyField<number>('divide_orders', 'rows') ?? 0,
      ...settlements.reduce(addSettlements, EMPTY_SETTLEMENT),
      failed_workers: workers
        .filter(({ failure }) => failure !== undefined)
        .map(({ name, failure }) => ({ name, reason: failure?.message ?? '' })),
    });
  },
});
