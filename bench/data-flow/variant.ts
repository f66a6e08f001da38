/** What one measured process is asked for. */
export interface VariantTask {
  /** The CSV file to read. */
  readonly file: string;
  /** A folder of its own, for its database and whatever else it keeps. */
  readonly dir: string;
  /** Of the Temporal server. */
  readonly address: string;
}

/** What it has measured. */
export interface VariantResult {
  readonly rows: number;
  /** From the first step of the work to its end; the start of the process and its connections are not in it. */
  readonly ms: number;
}
