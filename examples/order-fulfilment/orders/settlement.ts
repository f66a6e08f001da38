/** What has become of rows: plain JSON, so that checkpoints and results can carry it. */
export interface Settlement {
  readonly charged: number;
  readonly charged_cents: number;
  /** Ids of orders whose cards were declined. */
  readonly declined: readonly string[];
  /** Ids of large orders, which `fulfil-order` has approved one by one. */
  readonly held: readonly string[];
  /** Rows that are no orders; counted from 1, without the head. */
  readonly refused: readonly { readonly row: number; readonly reason: string }[];
}

/** Nothing settled yet. */
export const EMPTY_SETTLEMENT: Settlement = {
  charged: 0,
  charged_cents: 0,
  declined: [],
  held: [],
  refused: [],
};

/** Both together. */
export function addSettlements(one: Settlement, other: Settlement): Settlement {
  return {
    charged: one.charged + other.charged,
    charged_cents: one.charged_cents + other.charged_cents,
    declined: [...one.declined, ...other.declined],
    held: [...one.held, ...other.held],
    refused: [...one.refused, ...other.refused],
  };
}
