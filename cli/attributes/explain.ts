import type { Command } from 'commander';
import pc from 'picocolors';
import { z } from 'zod';
import type { Explanation } from '../../src/attribute-pipeline/explanation.js';
import { viewed } from '../../src/attribute-pipeline/value.js';
import type { Json } from '../../src/definition/json.js';
import { formatCount } from '../flows/flow-format.js';
import { printJson } from '../flows/flow-json.js';
import { formatTime, oneLine } from '../format.js';
import { counted } from '../problem-report.js';
import { formatCost } from './cost-format.js';
import { withAttributes } from './open-attributes.js';

interface ExplainOptions {
  readonly dir?: string;
  readonly json: boolean;
}

/** Adds `attributes explain`: where a value comes from, and whether it is stale. */
export function addExplainCommand(attributes: Command): void {
  attributes
    .command('explain <entity> <attribute>')
    .summary('tell where a value comes from, and whether it is stale')
    .description(
      'Tells where a value of an entity comes from: run, version of the pipeline, inputs, cost, eval, and whether it is stale and why.',
    )
    .option('--json', 'print it as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .action(async (entity: string, attribute: string, { dir, json }: ExplainOptions) => {
      const found = await withAttributes(dir, async ({ attributes: all }) => {
        return all.explain({ entityId: await all.entityId(entity), attribute });
      });
      if (json) printJson(found);
      else process.stdout.write(`${text(attribute, found)}\n`);
    });
}

function text(attribute: string, found: Explanation): string {
  const { value, pipeline, run, inputs, staleReasons } = found;
  const lines: (readonly [string, string])[] = [
    [attribute, shown(viewed(value, 'with_override'))],
    ...(value.override === undefined
      ? []
      : [['beneath the override', shown(value.current)] as const]),
    ['justification', value.justification ?? ''],
    ['confidence', value.confidence === null ? '' : String(value.confidence)],
    ...(pipeline === null
      ? [['computed by', 'nothing: it is edited'] as const]
      : [
          [
            'pipeline',
            `version ${String(value.pipelineVersion ?? 0)} of ${String(pipeline.version)}`,
          ] as const,
        ]),
    ...(run === null ? [] : [['run', `${run.id}, ${formatTime(run.startedAt)}`] as const]),
    ...inputs.map(
      (input) =>
        [
          `input ${input.attribute}`,
          `${shown(viewed(input.value, 'with_override'))}  ${pc.dim(`version ${String(input.usedVersion ?? 0)}`)}`,
        ] as const,
    ),
    ...usageOf(value.meta?.['usage']).map((used) => ['model', used] as const),
    ...(found.eval === null
      ? []
      : [
          [
            'eval',
            found.eval.passed === null ? 'not run' : found.eval.passed ? 'passes' : pc.red('fails'),
          ] as const,
        ]),
    ['stale', staleReasons.length === 0 ? 'no' : pc.yellow(staleReasons.join(' '))],
  ];
  const width = Math.max(...lines.map(([label]) => label.length));
  return lines
    .filter(([, shownValue]) => shownValue !== '')
    .map(([label, shownValue]) => `  ${label.padEnd(width)}  ${shownValue}`)
    .join('\n');
}

function shown(value: Json | undefined): string {
  return value === undefined ? pc.dim('none') : oneLine(JSON.stringify(value), 200);
}

/** What models have taken for a value, as it is noted with it. */
const noted = z.array(
  z.object({
    model: z.string(),
    calls: z.number(),
    tokens_in: z.number(),
    tokens_out: z.number(),
    cost: z.number().nullish(),
  }),
);

function usageOf(usage: Json | undefined): readonly string[] {
  const parsed = noted.safeParse(usage);
  if (!parsed.success) return [];
  return parsed.data.map(({ model, calls, tokens_in, tokens_out, cost }) =>
    [
      model,
      counted(calls, 'call'),
      `${formatCount(tokens_in)} tokens in, ${formatCount(tokens_out)} out`,
      ...(typeof cost === 'number' ? [`cost ${formatCost(cost)}`] : []),
    ].join(', '),
  );
}
