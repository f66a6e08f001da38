const SIGNIFICANT = new Intl.NumberFormat('en', {
  maximumSignificantDigits: 3,
  useGrouping: false,
});

/** A cost with three significant digits, in the currency of the prices: `12.3`, `0.0000234`. */
export function formatCost(cost: number): string {
  return cost >= 100 ? cost.toFixed(2) : SIGNIFICANT.format(cost);
}
