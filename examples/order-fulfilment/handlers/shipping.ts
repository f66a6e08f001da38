import { defineStepHandler, success } from 'millrace';

export const shipOrder = defineStepHandler({
  name: 'ship_order',
  description: 'Hands an order over to whoever carries it.',
  run: ({ getTaskField }) =>
    success({
      tracking: `${getTaskField<string>('country') ?? 'XX'}-${getTaskField<string>('order_id') ?? ''}`,
    }),
});

/** Steps that a decision may have chosen. */
const CHECKS: readonly string[] = ['accept_order', 'screen_order', 'approve_order'];

export const summarizeOrder = defineStepHandler({
  name: 'summarize_order',
  description: 'Tells what became of an order.',
  run: ({ getTaskField, getDependencyField, getAllDependencyResults }) => {
    // Of what was not chosen there is no result, and so no mention.
    const ran = getAllDependencyResults().map(({ name }) => name);
    const approvedBy = getDependencyField<string>('approve_order', 'by');
    return success({
      order_id: getTaskField<string>('order_id') ?? '',
      size: getDependencyField<string>('route_order', 'size') ?? '',
      amount_cents: getDependencyField<number>('price_order', 'amount_cents') ?? 0,
      checks: CHECKS.filter((name) => ran.includes(name)),
      ...(approvedBy !== undefined && { approved_by: approvedBy }),
      charge_id: getDependencyField<string>('charge_order', 'charge_id') ?? '',
      tracking: getDependencyField<string>('ship_order', 'tracking') ?? '',
    });
  },
});
