import { defineApiHandler, error, permanent, success } from 'millrace';
import { charge, paymentsUrl } from '../orders/payments.js';

export const chargeOrder = defineApiHandler({
  name: 'charge_order',
  description: 'Charges the card of an order.',
  baseUrl: paymentsUrl,
  timeout: '10s',
  run: async ({ api, getTaskField, getDependencyField, log }) => {
    const orderId = getTaskField<string>('order_id');
    const card = getTaskField<string>('card');
    const amountCents = getDependencyField<number>('price_order', 'amount_cents');
    if (orderId === undefined || card === undefined || amountCents === undefined)
      throw permanent('charge_order needs order_id and card, and has to depend on price_order');
    const answer = await charge(api, { orderId, amountCents, card });
    if (answer.outcome === 'declined')
      return error({ type: 'CardDeclined', message: answer.reason, retryable: false });
    log.info({ orderId, chargeId: answer.chargeId }, 'charged');
    return success({ charge_id: answer.chargeId, amount_cents: amountCents });
  },
});
