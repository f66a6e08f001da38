/** Writes what a soak has measured, past jest's own reporter, which shows results only. */
export function tell(soak: string, numbers: Readonly<Record<string, number | string>>): void {
  const list = Object.entries(numbers).map(([name, value]) => `${name} ${String(value)}`);
  process.stderr.write(`  ${soak}: ${list.join(', ')}\n`);
}

/** The value that so many of a hundred are not above. */
export function percentile(values: readonly number[], of100: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = Math.min(sorted.length - 1, Math.floor((sorted.length * of100) / 100));
  return Math.round(sorted[place] ?? Number.NaN);
}
