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
  /** The most memory that the process has had. */
  readonly peakBytes: number;
}

/** Does what a measured process was started for, and tells its parent. */
export async function answerParent(
  work: (task: VariantTask) => Promise<Omit<VariantResult, 'peakBytes'>>,
): Promise<void> {
  // The benchmark puts it there.
  const task = JSON.parse(process.argv[2] ?? '') as VariantTask;
  const result = await work(task);
  // Kilobytes, on every system that libuv knows.
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  process.send?.({ ...result, peakBytes } satisfies VariantResult);
  process.disconnect();
}
