import { DIRECT_VARIANTS, TITLES, type Scenario, type Variant } from './cells.js';
import type { EventStreamsResult } from './event-streams.js';
import type { Machine } from './machine.js';
import { AT_ONCE } from './measure.js';
import type { Measurements } from './measurements.js';
import { median, quantile, type Estimate } from './statistics.js';
import {
  FIGURE_TITLES,
  FIGURES,
  isComplete,
  ratioToRaw,
  targetsOf,
  type Target,
} from './targets.js';

/** Everything that a report tells. */
export interface ReportFacts {
  readonly machine: Machine;
  readonly measurements: Measurements;
  readonly scenarios: readonly Scenario[];
  /** Absent where they were not measured. */
  readonly eventStreams?: EventStreamsResult;
  readonly durationMs: number;
}

/** The report in Markdown, without a heading of its own. */
export function report(facts: ReportFacts): string {
  const { scenarios, eventStreams } = facts;
  const parts = [
    machineText(facts),
    ...(scenarios.length === 0 ? [] : [targetsTable(facts), cellsTable(facts), ratiosTable(facts)]),
    ...(eventStreams === undefined ? [] : [eventStreamsText(eventStreams)]),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** False when any target is missed. */
export function isReached({ measurements, scenarios, eventStreams }: ReportFacts): boolean {
  const missed = targetsOf(measurements, scenarios).some(({ verdict }) => verdict === 'missed');
  return !missed && (eventStreams === undefined || isComplete(eventStreams));
}

function machineText({ machine, measurements, scenarios, durationMs }: ReportFacts): string {
  const { processor, cores, memoryBytes, system, node, temporalServer, date, loadBefore } = machine;
  const [scenario = 'a'] = scenarios;
  const samples = measurements.latencies(scenario, 'raw').length;
  const blocks = measurements.blocks(scenario, 'raw').length;
  return [
    `- Machine: ${processor}, ${String(cores)} cores, ${(memoryBytes / 2 ** 30).toFixed(0)} GiB, ${system}`,
    `- Node ${node}, Temporal server ${temporalServer} (the dev server of \`millrace dev\`, in memory)`,
    `- ${date}; ${String(samples)} single runs and ${String(blocks)} blocks a cell, in ${(durationMs / 60_000).toFixed(1)} minutes; ` +
      `load average before: ${loadBefore.toFixed(1)}`,
  ].join('\n');
}

function targetsTable({ measurements, scenarios }: ReportFacts): string {
  const rows = targetsOf(measurements, scenarios).map(
    ({ scenario, figure, estimate, limit, unit, verdict }) => [
      scenario,
      figure,
      withInterval(estimate, unit),
      `${String(limit)} ${unit}`,
      verdict,
    ],
  );
  return `### Targets\n\n${table(['scenario', 'figure', 'measured (95% interval)', 'at most', 'verdict'], rows)}`;
}

function cellsTable({ measurements, scenarios }: ReportFacts): string {
  const variants: readonly Variant[] = [...DIRECT_VARIANTS, 'http'];
  const rows = scenarios.flatMap((scenario) =>
    variants.map((variant) => {
      const latencies = measurements.latencies(scenario, variant);
      const blocks = measurements.blocks(scenario, variant);
      return [
        scenario,
        variant,
        number(median(latencies)),
        number(quantile(latencies, 0.95)),
        number(1_000 / median(blocks.map(({ msPerRun }) => msPerRun))),
        number(median(blocks.map(({ nodeCpuMs }) => nodeCpuMs))),
        number(median(blocks.map(({ serverCpuMs }) => serverCpuMs ?? NaN))),
      ];
    }),
  );
  const head = [
    'scenario',
    'by',
    'p50 ms',
    'p95 ms',
    `runs/s, ${String(AT_ONCE)} at once`,
    'Node CPU ms',
    'Temporal CPU ms',
  ];
  const legend = scenarios.map((scenario) => `- ${scenario}: ${TITLES[scenario]}`).join('\n');
  return `### Figures\n\n${legend}\n\n${table(head, rows)}`;
}

function ratiosTable({ measurements, scenarios }: ReportFacts): string {
  const rows = scenarios.flatMap((scenario) =>
    (['control', 'engine', 'http'] as const).map((variant) => [
      scenario,
      `${variant} / raw`,
      ...FIGURES.map((figure) =>
        withInterval(ratioToRaw(measurements, scenario, variant, figure), '×'),
      ),
    ]),
  );
  const head = ['scenario', 'ratio', ...FIGURES.map((figure) => FIGURE_TITLES[figure])];
  return `### Ratios to hand-written code, with 95% intervals\n\n${table(head, rows)}`;
}

function eventStreamsText(result: EventStreamsResult): string {
  const { clients, runs, reconnected, expected, lost, repeated, outOfOrder, durationMs } = result;
  const verdict = isComplete(result) ? 'reached' : 'missed';
  return [
    '### Event streams',
    '',
    `${String(clients)} clients on ${String(runs)} runs, of which ${String(reconnected)} left in the middle and came back with ` +
      `\`Last-Event-ID\`: of ${String(expected)} events, ${String(lost)} were lost and ${String(repeated)} repeated; ` +
      `${String(outOfOrder)} clients got theirs in another order. It took ${(durationMs / 1_000).toFixed(1)} s. ` +
      `Target (every event once): ${verdict}.`,
  ].join('\n');
}

function withInterval({ value, low, high }: Estimate, unit: Target['unit']): string {
  return `${value.toFixed(2)} ${unit} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

function number(value: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(1);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
