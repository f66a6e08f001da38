/** What is compared. a: no work at all; b: three quick operations; c: three durable ones. */
export const SCENARIOS = ['a', 'b', 'c'] as const;

/** One of {@link SCENARIOS}. */
export type Scenario = (typeof SCENARIOS)[number];

/** What runs inside of the measured process. `control` is `raw` once more, and differs from it by chance only. */
export const DIRECT_VARIANTS = ['raw', 'control', 'engine'] as const;

/** One of {@link DIRECT_VARIANTS}. */
export type DirectVariant = (typeof DIRECT_VARIANTS)[number];

/** How a run is asked for. `http` is the same pipeline as `engine`, over Millrace's HTTP server. */
export type Variant = DirectVariant | 'http';

/** One place in the table of results. */
export interface Cell {
  readonly scenario: Scenario;
  readonly variant: Variant;
}

/** What a scenario is called in the report. */
export const TITLES: Readonly<Record<Scenario, string>> = {
  a: 'no operations',
  b: 'three quick operations; raw: three ordinary activities',
  c: 'three durable operations; raw: three ordinary activities',
};

/** All cells of some scenarios. */
export function cellsOf(scenarios: readonly Scenario[]): readonly Cell[] {
  return scenarios.flatMap((scenario) =>
    ([...DIRECT_VARIANTS, 'http'] as const).map((variant) => ({ scenario, variant })),
  );
}
