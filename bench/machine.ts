import { cpus, loadavg, release, totalmem, type } from 'node:os';
import type { Client } from '@temporalio/client';

/** Where and with what a benchmark ran. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  readonly temporalServer: string;
  /** ISO 8601. */
  readonly date: string;
  /** Processes that wanted to run, on average over a minute, before the benchmark began: other work disturbs it. */
  readonly loadBefore: number;
}

/** Looks at this machine, and asks the Temporal server what it is. */
export async function describeMachine(client: Client): Promise<Machine> {
  const info = await client.workflowService.getSystemInfo({});
  const [first] = cpus();
  return {
    processor: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    node: process.version,
    temporalServer: info.serverVersion,
    date: new Date().toISOString().slice(0, 10),
    loadBefore: loadavg()[0] ?? NaN,
  };
}
