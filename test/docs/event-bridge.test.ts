import { beforeAll, describe, expect, it } from '@jest/globals';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { expectPrinted } from './output.js';
import { blocksOf, placeOf, projectOf } from './page.js';
import { useRunningProjects, type RunningProject } from './running-project.js';
import { execute } from './shell.js';

const PAGE = 'docs/event-bridge.md';

const temporal = useTemporal();

describe(PAGE, () => {
  const start = useRunningProjects(temporal);
  const blocks = blocksOf(PAGE);
  let project: RunningProject;
  let url = '';

  beforeAll(async () => {
    project = await start(projectOf(PAGE));
    await project.worker();
    url = await project.server();
  }, 60_000);

  it.each(
    blocks
      .filter(({ marks }) => marks['run'] !== undefined)
      .map((block) => [placeOf(block), block] as const),
  )('%s prints what it shows', async (_place, block) => {
    const shown = blocks[blocks.indexOf(block) + 1];
    expect(shown?.marks).toHaveProperty('output');
    const printed = await execute(block.code, { cwd: project.dir, env: process.env, url });
    if (shown?.language === 'text') expect(printed).toBe(shown.code);
    else expectPrinted(shown?.code ?? '', printed);
  });

  it('has what an operation traces below the span of its attempt, in a worker that is started as it shows', async () => {
    const { code = '' } = blocks.find(({ marks }) => 'tracing' in marks) ?? {};
    const [, options = ''] = /^NODE_OPTIONS='(.+)' npx millrace worker$/m.exec(code) ?? [];
    const tracing = await start({
      ...projectOf(PAGE, 'tracing'),
      'millrace.config.ts': `export default { asyncQueue: 'tracing', catchAllRoutes: true };`,
    });
    await tracing.worker({ NODE_OPTIONS: options, OTEL_BSP_SCHEDULE_DELAY: '50' });
    const answer = await fetch(`${await tracing.server()}/pipelines/rate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"currency":"EUR"}',
    });
    expect(await answer.json()).toMatchObject({ result: { rate: 0.95 } });
    const spans = await until(async () => {
      const printed = printedSpans(tracing.printed());
      return printed.some(({ name }) => name === 'pipeline rate') ? printed : undefined;
    });
    const spanOf = (name: string): PrintedSpan | undefined =>
      spans.find((span) => span.name === name);
    const attempt = spanOf('operation find.look-up');
    expect(attempt?.id).toMatch(/^[0-9a-f]{16}$/);
    expect(spanOf('SELECT rate')).toMatchObject({ traceId: attempt?.traceId, parent: attempt?.id });
    expect(spanOf('pipeline rate')?.traceId).toBe(attempt?.traceId);
  }, 60_000);
});

interface PrintedSpan {
  readonly name: string | undefined;
  readonly id: string | undefined;
  readonly traceId: string | undefined;
  readonly parent: string | undefined;
}

/** What the exporter that writes to the terminal has written: an object of JavaScript for each span. */
function printedSpans(printed: string): readonly PrintedSpan[] {
  return printed.split(/^\{$/m).map((text) => {
    const member = (name: string): string | undefined =>
      new RegExp(`^ +${name}: '([^']*)'`, 'm').exec(text)?.[1];
    return {
      name: member('name'),
      id: member('id'),
      traceId: member('traceId'),
      parent: member('spanId'),
    };
  });
}
