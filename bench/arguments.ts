import { parseArgs } from 'node:util';
import { SCENARIOS, type Scenario } from './cells.js';

/** What a benchmark is asked for. */
export interface BenchArguments {
  /** Single runs of each cell. */
  readonly samples: number;
  readonly scenarios: readonly Scenario[];
  /** Whether events are counted at 500 clients. */
  readonly eventStreams: boolean;
  /** Gets V8 CPU profiles of the measured process. */
  readonly profileDir?: string;
  readonly maxMinutes: number;
  /** Everything, with enough samples: only then is the page of results written. */
  readonly complete: boolean;
}

/** Arguments that cannot be used; the message says which. */
export class WrongArguments extends Error {
  override readonly name = 'WrongArguments';
}

/** Least number of samples that the page of results is written for. */
const COMPLETE_SAMPLES = 500;

/** How to call the benchmark. */
export const USAGE = `npm run bench -- [options]

  --samples N     single runs of each cell (default ${String(COMPLETE_SAMPLES)})
  --only LIST     some of a, b, c and sse (default: all)
  --profile DIR   write V8 CPU profiles of the measured process into DIR
  --minutes N     stop measuring after N minutes (default 14)

With all scenarios and at least ${String(COMPLETE_SAMPLES)} samples, the results are written into docs/performance.md.`;

/** @throws {@link WrongArguments} */
export function benchArguments(args: readonly string[]): BenchArguments {
  const { samples, only, profile, minutes } = parse(args);
  const parts = only.split(',').map((part) => part.trim());
  const unknown = parts.find((part) => part !== 'sse' && !isScenario(part));
  if (unknown !== undefined)
    throw new WrongArguments(`--only has "${unknown}", which is none of a, b, c and sse`);
  const scenarios = SCENARIOS.filter((scenario) => parts.includes(scenario));
  const eventStreams = parts.includes('sse');
  const count = positive('samples', samples);
  return {
    samples: count,
    scenarios,
    eventStreams,
    ...(profile !== undefined && { profileDir: profile }),
    maxMinutes: positive('minutes', minutes),
    complete:
      scenarios.length === SCENARIOS.length &&
      eventStreams &&
      count >= COMPLETE_SAMPLES &&
      profile === undefined,
  };
}

interface Given {
  readonly samples: string;
  readonly only: string;
  readonly profile?: string | undefined;
  readonly minutes: string;
}

function parse(args: readonly string[]): Given {
  try {
    return parseArgs({
      args: [...args],
      options: {
        samples: { type: 'string', default: String(COMPLETE_SAMPLES) },
        only: { type: 'string', default: [...SCENARIOS, 'sse'].join() },
        profile: { type: 'string' },
        minutes: { type: 'string', default: '14' },
      },
    }).values;
  } catch (error) {
    throw new WrongArguments(error instanceof Error ? error.message : String(error));
  }
}

/** The value of an option that is a positive whole number. @throws {@link WrongArguments} */
export function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new WrongArguments(`--${name} must be a positive whole number, not "${text}"`);
}

function isScenario(text: string): text is Scenario {
  return (SCENARIOS as readonly string[]).includes(text);
}
