import { defineStepHandler, error, success } from 'millrace';

export const acceptOrder = defineStepHandler({
  name: 'accept_order',
  description: 'Accepts a small order as it is.',
  run: () => success({ accepted: true }),
});

interface Item {
  readonly sku: string;
  readonly quantity: number;
}

export const screenOrder = defineStepHandler({
  name: 'screen_order',
  description: 'Refuses orders of more pieces of one kind than anybody needs.',
  run: ({ getTaskField, getConfig }) => {
    const items = getTaskField<readonly Item[]>('items') ?? [];
    const most = getConfig<number>('most_pieces') ?? Infinity;
    const hoarded = items.find(({ quantity }) => quantity > most);
    if (hoarded === undefined) return success({ screened: items.length });
    // Another attempt would find the same.
    return error({
      type: 'OrderRefused',
      message: `${String(hoarded.quantity)} pieces of ${hoarded.sku} are more than ${String(most)}`,
      retryable: false,
    });
  },
});
