import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { Client, Connection } from '@temporalio/client';

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

/** Looks at this machine, and asks the Temporal server at an address what it is. */
export async function describeMachine(address: string): Promise<Machine> {
  const connection = await Connection.connect({ address });
  try {
    return await describe(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

async function describe(client: Client): Promise<Machine> {
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

/** The machine in one sentence. */
export function machineLine(machine: Machine): string {
  const { date, processor, cores, system, node, temporalServer, loadBefore } = machine;
  return `${date}, ${processor}, ${String(cores)} cores, ${system}, Node ${node}, Temporal ${temporalServer}, load average before ${loadBefore.toFixed(1)}.`;
}
