/** How much attention an order gets. */
export type OrderSize = 'small' | 'medium' | 'large';

/** Where medium and large orders begin, in cents: the first amount that is one. A template says them under `initialization`. */
export interface SizeLimits {
  readonly mediumFrom: number;
  readonly largeFrom: number;
}

/** The size of an order of so many cents. */
export function sizeOf(amountCents: number, { mediumFrom, largeFrom }: SizeLimits): OrderSize {
  if (amountCents >= largeFrom) return 'large';
  return amountCents >= mediumFrom ? 'medium' : 'small';
}
