import { describe, expect, it } from '@jest/globals';
import { loadProject } from '../../../engine/project/load-project.js';
import { loadRightProject, messagesIn, messagesOf, writeProject } from '../../support/project.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const temporary = useTemporaryDirectory();
const messages = messagesIn(temporary);

const NUMBERS = `import { defineSource, defineSink, defineTransform } from 'millrace';
import { z } from 'zod';

export const numbers = defineSource({
  name: 'numbers',
  options: z.strictObject({ upTo: z.number().int() }),
  async *read({ options }) {
    yield { rows: [{ number: options.upTo }], cursor: options.upTo };
  },
});

export const nowhere = defineSink({
  name: 'nowhere',
  options: z.strictObject({}),
  open: () => ({
    write: async ({ rows }) => ({
      written: { new: 0, updated: 0, redundant: 0, unpredictable: rows.length },
    }),
  }),
});

export const doubled = defineTransform({
  name: 'doubled',
  run: ({ row }) => ({ ...row, number: Number(row['number']) * 2 }),
});
`;

/** A flow in TypeScript, with more of its definition. */
function flow(more: string, source = 'numbers({ upTo: 3 })'): string {
  return `import { defineDataFlow } from 'millrace';
import { z } from 'zod';
import { nowhere, numbers, doubled } from '../connectors/numbers.js';

void z;
void doubled;
export const copy = defineDataFlow({
  name: 'copy',
  source: ${source},
  sink: nowhere({}),
  ${more}
});
`;
}

const YAML = `name: copy-yaml
schedule: { cron: "0 3 * * *", timezone: Europe/Berlin }
configuration:
  properties:
    up_to: { type: integer, default: 7 }
source:
  class_name: numbers
  options: { upTo: "{{ configuration.up_to }}" }
transform: doubled
sink: nowhere
batch_size: 50
catchup_window: 10m
retry: { maximum_attempts: 5 }
`;

async function load(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  return messages({ 'connectors/numbers.ts': NUMBERS, ...files });
}

describe('data flows of a project', () => {
  it('are found in flows/, in TypeScript and YAML, with connectors from connectors/', async () => {
    const dir = await writeProject(temporary.path, {
      'connectors/numbers.ts': NUMBERS,
      'flows/copy.ts': flow(`schedule: { every: '5m' }, after: ['copy-yaml'],`),
      'flows/copy.yml': YAML,
    });
    const { dataFlows } = (await loadRightProject(dir)).registry;
    expect([...dataFlows.keys()]).toEqual(['copy', 'copy-yaml']);
    expect(dataFlows.get('copy')).toMatchObject({
      schedule: { kind: 'every', seconds: 300 },
      after: ['copy-yaml'],
      overlap: 'SKIP',
      catchupWindowMs: 3_600_000,
      enabled: true,
      work: { kind: 'move', batchSize: 200, maxRejected: 100 },
    });
    expect(dataFlows.get('copy-yaml')).toMatchObject({
      schedule: { kind: 'cron', cron: '0 3 * * *', timezone: 'Europe/Berlin' },
      defaults: { up_to: 7 },
      catchupWindowMs: 600_000,
      retry: { maximumAttempts: 5 },
      work: { kind: 'move', batchSize: 50 },
    });
  });

  it('fill the configuration into the options of YAML, each value with its own type', async () => {
    const dir = await writeProject(temporary.path, {
      'connectors/numbers.ts': NUMBERS,
      'flows/copy.yml': YAML,
    });
    const { work } = (await loadRightProject(dir)).registry.dataFlows.get('copy-yaml')!;
    const request = { trigger: 'manual', scheduledAt: undefined } as const;
    expect(
      work.kind === 'move' && work.source({ ...request, configuration: { up_to: 9 } }).options,
    ).toEqual({
      upTo: 9,
    });
  });

  it('may have a run of their own instead of a source and a sink', async () => {
    const body = flow('run: async () => undefined,')
      .replace('  source: numbers({ upTo: 3 }),\n', '')
      .replace('  sink: nowhere({}),\n', '');
    expect(await load({ 'flows/copy.ts': body })).toEqual([]);
  });

  it('share one name space with everything that can be started', async () => {
    const pipeline = `name: copy\nstages:\n  - { name: one, operations: [{ type: log }] }\n`;
    expect(await load({ 'flows/copy.ts': flow(''), 'pipelines/copy.yml': pipeline })).toEqual([
      'flows/copy.ts:7:21  definition "copy" is already defined by pipelines/copy.yml:1. Rename one of them.',
    ]);
  });
});

describe('what is wrong with a data flow', () => {
  it('in TypeScript is told at once, each where it is written', async () => {
    const wrong = `schedule: { cron: '0 25 * * *', timezone: 'Mars/Base' },
  overlap: 'SKIPP',
  after: ['copyy', 'nobody'],
  batchSize: 0,
  catchupWindow: 'soon',
  enabled: 'yes',
  batchTimout: '5m',`;
    expect(await load({ 'flows/copy.ts': flow(wrong, 'numbers({ upTo: 1.5, from: 2 })') })).toEqual(
      [
        expect.stringMatching(/^flows\/copy\.ts:9:3 .*source "numbers": .*upTo/),
        expect.stringMatching(/^flows\/copy\.ts:9:3 .*source "numbers": .*from/),
        expect.stringMatching(/^flows\/copy\.ts:11:35 .*there is no time zone "Mars\/Base"/),
        expect.stringMatching(
          /^flows\/copy\.ts:12:3 .*overlap policy "SKIPP".*Did you mean "SKIP"\?/,
        ),
        expect.stringMatching(/^flows\/copy\.ts:14:3 .*batchSize is 0/),
        expect.stringMatching(/^flows\/copy\.ts:15:3 .*catchupWindow: "soon" is not a duration/),
        expect.stringMatching(/^flows\/copy\.ts:16:3 .*enabled must be true or false/),
        expect.stringMatching(
          /^flows\/copy\.ts:17:3 .*unknown key "batchTimout"\. Did you mean "batchTimeout"\?/,
        ),
      ],
    );
  });

  it('in YAML has a line and a column, also a class name that nobody has registered', async () => {
    const wrong = YAML.replace('class_name: numbers', 'class_name: number')
      .replace('sink: nowhere', 'sink: Kernel')
      .replace('catchup_window', 'catch_up_window')
      .replace('"0 3 * * *"', '"0 3 * *"');
    expect(await load({ 'flows/copy.yml': wrong })).toEqual([
      expect.stringMatching(
        /^flows\/copy\.yml:2:19 .*cron "0 3 \* \*": it has 4 fields; write five/,
      ),
      expect.stringMatching(
        /^flows\/copy\.yml:7:15 .*there is no source "number"\. Register one: export it from a file in connectors\/\. Did you mean "numbers"\?/,
      ),
      expect.stringMatching(/^flows\/copy\.yml:10:7 .*there is no sink "Kernel"/),
      expect.stringMatching(
        /^flows\/copy\.yml:12:1 .*unknown key "catch_up_window"\. Did you mean "catchup_window"\?/,
      ),
    ]);
  });

  it.each([
    ['no source and no sink', `name: copy\n`, /the flow has no source and no sink/],
    [
      'two kinds of times',
      YAML.replace('cron:', 'every: 5m, cron:'),
      /schedule has every and cron/,
    ],
    [
      'an interval of no whole seconds',
      YAML.replace(/schedule:.*/, 'schedule: { every: 1500ms }'),
      /1500 ms\. Write whole seconds/,
    ],
    [
      'a cron of another dialect',
      YAML.replace('0 3 * * *', '0 3 L * *'),
      /Temporal does not know L/,
    ],
    [
      'a cron with a time that is none',
      YAML.replace('0 3 * * *', '0 25 * * *'),
      /cron "0 25 \* \* \*"/,
    ],
    ['ALLOW_ALL', `${YAML}overlap: ALLOW_ALL\n`, /At most one run of a flow is active/],
    [
      'a configuration that is no schema',
      YAML.replace('type: integer', 'type: whole'),
      /configuration is no JSON Schema/,
    ],
    ['a list instead of a flow', `- name: copy\n`, /no data flow is written here/],
  ])('such as %s is said in words', async (_what, text, message) => {
    expect((await load({ 'flows/copy.yml': text })).join('\n')).toMatch(message);
  });

  it('is told of flows that come after flows which are not there, or after themselves', async () => {
    const other = flow(`after: ['copy'],`)
      .replace(/copy(?=')/, 'other')
      .replace('const copy', 'const other');
    expect(
      await load({
        'flows/copy.ts': flow(`after: ['other', 'othre'],`),
        'flows/other.ts': other,
      }),
    ).toEqual([
      expect.stringMatching(
        /^flows\/copy\.ts:11:3 .*there is no data flow "othre"\. Did you mean "other"\?/,
      ),
      expect.stringMatching(/^flows\/copy\.ts:11:3 .*wait for each other: copy → other → copy/),
      expect.stringMatching(/^flows\/other\.ts:11:3 .*wait for each other: other → copy → other/),
    ]);
  });

  it('is told of connectors that are not called, or are of the other kind', async () => {
    expect(await load({ 'flows/copy.ts': flow('', 'numbers as never') })).toEqual([
      expect.stringMatching(/source: call it with its options/),
    ]);
    expect(await load({ 'flows/copy.ts': flow('', 'nowhere({}) as never') })).toEqual([
      expect.stringMatching(/source: this is a sink/),
    ]);
  });

  it('is told of a connector whose name is taken by the product', async () => {
    expect(await messages({ 'connectors/csv.ts': NUMBERS.replace("'numbers'", "'csv'") })).toEqual([
      expect.stringMatching(/source "csv" is already defined by the product itself/),
    ]);
  });

  it('waits for the run where options depend on a configuration without defaults', async () => {
    const more = `configuration: z.object({ upTo: z.number() }),`;
    const asked = '({ configuration }) => numbers({ upTo: configuration.upTo })';
    expect(await load({ 'flows/copy.ts': flow(more, asked) })).toEqual([]);
  });

  it('is warned of where runs would carry a plan that slows them down, and refused where it is too large', async () => {
    const configured = (characters: number): string =>
      flow(
        `configuration: z.object({ text: z.string().default('x'.repeat(${String(characters)})) }),`,
      );
    expect(await load({ 'flows/copy.ts': configured(16_000) })).toEqual([]);
    expect(await load({ 'flows/copy.ts': configured(17_000) })).toEqual([
      expect.stringMatching(
        /^flows\/copy\.ts:7:21 {2}warning: .*its plan has 17\d+ bytes, and every run stores it; above 16384 runs become slower\./,
      ),
    ]);
    expect(await load({ 'flows/copy.ts': configured(300_000) })).toEqual([
      expect.stringMatching(
        /^flows\/copy\.ts:7:21 {2}its plan has 300\d+ bytes; the most is 262144 \(maxPlanBytes\)\. .*name a file/,
      ),
    ]);
  });

  it('is warned of where a password is written in an option, and not where a reference is', async () => {
    const text = (database: string): string =>
      `name: copy\nsource: { class_name: numbers, options: { upTo: 3 } }\nsink: { class_name: sql, options: { database: "${database}", table: t } }\n`;
    expect(await load({ 'flows/copy.yml': text('postgres://me:hunter2@db/shop') })).toEqual([
      expect.stringMatching(
        /^flows\/copy\.yml:3:\d+ {2}warning: {2}sink "sql": option 'database' holds a password/,
      ),
    ]);
    const referring = {
      'connectors/numbers.ts': NUMBERS,
      'flows/copy.yml': text('postgres://me:${DB_PASSWORD}@db/shop'),
    };
    expect(await messages(referring, { DB_PASSWORD: 'hunter2' })).toEqual([]);
    expect(await messages(referring)).toEqual([
      expect.stringMatching(/copy: the environment variable DB_PASSWORD is not set/),
    ]);
    expect(await load({ 'flows/copy.yml': text('postgres://me@db/shop') })).toEqual([]);
  });

  it('keeps a reference to a secret a reference, whatever its schema says', async () => {
    const strict = NUMBERS.replace(
      'upTo: z.number().int()',
      'upTo: z.number().int(), key: z.url()',
    );
    const loaded = await loadProject(
      await writeProject(temporary.path, {
        'connectors/numbers.ts': strict,
        'flows/copy.ts': flow('', "numbers({ upTo: 3, key: 'secret://numbers' })"),
      }),
    );
    expect(messagesOf(loaded)).toEqual([]);
  });
});
