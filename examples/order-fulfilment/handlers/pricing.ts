import { branches, defineDecisionHandler, defineStepHandler, permanent, success } from 'millrace';
import { sizeOf, type OrderSize } from '../orders/order-size.js';
import { sizeLimits } from '../orders/size-limits.js';

interface Item {
  readonly quantity: number;
  readonly unit_price_cents: number;
}

export const priceOrder = defineStepHandler({
  name: 'price_order',
  description: 'Adds up what an order costs.',
  run: ({ getTaskField }) => {
    // The template's input_schema has seen to it that they are such.
    const items = getTaskField<readonly Item[]>('items') ?? [];
    return success({
      pieces: items.reduce((sum, { quantity }) => sum + quantity, 0),
      amount_cents: items.reduce((sum, item) => sum + item.quantity * item.unit_price_cents, 0),
    });
  },
});

/** What comes next for an order of each size: names of steps of the template. */
const NEXT: Readonly<Record<OrderSize, readonly string[]>> = {
  small: ['accept_order'],
  medium: ['screen_order'],
  large: ['screen_order', 'approve_order'],
};

export const routeOrder = defineDecisionHandler({
  name: 'route_order',
  description: 'Chooses how an order is looked at before it is charged.',
  run: (context) => {
    const amount = context.getDependencyField<number>('price_order', 'amount_cents');
    if (amount === undefined) throw permanent('route_order has to depend on price_order');
    const size = sizeOf(amount, sizeLimits(context));
    return branches(NEXT[size], { size });
  },
});
