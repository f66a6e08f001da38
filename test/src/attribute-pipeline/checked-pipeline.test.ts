import { afterAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { quickjsSandbox } from '../../../adapters/sandbox/quickjs-sandbox.js';
import {
  checkedModules,
  pipelineSettingsProblems,
  type WrittenModule,
} from '../../../src/attribute-pipeline/checked-pipeline.js';
import { defineModule, moduleResult } from '../../../src/attribute-pipeline/module.js';
import { moduleRegistry } from '../../../src/attribute-pipeline/modules/module-registry.js';

const scale = defineModule({
  slug: 'scale',
  label: 'Scale',
  description: 'Multiplies the value.',
  type: 'processor',
  settings: z.strictObject({ by: z.number().positive().default(2) }),
  process: (contexts) => contexts.map(({ value }) => moduleResult.ok(value)),
});
const SOURCE = { module: 'attributes_source', settings: { attributes: ['width', 'height'] } };
const AREA = { module: 'calculation', settings: { code: 'return 1' } };

describe('the modules of a pipeline', () => {
  const sandbox = quickjsSandbox();
  afterAll(() => sandbox.close());
  const { modules, problems } = moduleRegistry([scale]);
  const check = (...written: readonly WrittenModule[]) =>
    checkedModules('product.area', written, modules, { sandbox, models: ['fast'] });

  it('are kept with their defaults, and say which attributes they read', async () => {
    expect(problems).toEqual([]);
    const depth = { module: 'attributes_source', settings: { attributes: ['depth', 'width'] } };
    expect(await check(SOURCE, depth, AREA, { module: 'scale', settings: {} })).toEqual({
      modules: [
        { ...SOURCE, settings: { ...SOURCE.settings, view: 'with_override' } },
        { ...depth, settings: { ...depth.settings, view: 'with_override' } },
        AREA,
        { module: 'scale', settings: { by: 2 } },
      ],
      inputs: ['width', 'height', 'depth'],
      readsElsewhere: false,
    });
  });

  it('are refused with all that is wrong with them at once', async () => {
    const wrong = check(
      { module: 'attributes_source', settings: { attributes: ['width', 'width'], view: 'best' } },
      { module: 'calculatoin', settings: {} },
      { module: 'calculation', settings: { code: 'return (' } },
      { module: 'scale', settings: { by: -1, of: 3 } },
    );
    await expect(wrong).rejects.toMatchObject({
      name: 'InvalidSettings',
      what: 'product.area',
      problems: [
        { path: 'modules[0].settings.attributes' },
        { path: 'modules[0].settings.view' },
        {
          path: 'modules[1].module',
          message: 'unknown module "calculatoin". Did you mean "calculation"?',
        },
        { path: 'modules[2].settings.code', message: 'Unexpected token (line 1, column 9)' },
        { path: 'modules[3].settings.by' },
        { path: 'modules[3].settings.of' },
      ],
    });
    const large = { module: 'calculation', settings: { code: '1;'.repeat(150_000) } };
    await expect(check(SOURCE, large)).rejects.toThrow(/300011 bytes as JSON; the most are 262144/);
  });

  it.each([
    [[], /first module is a source/],
    [[AREA], /first module is a source/],
    [[SOURCE], /There is no processor/],
    [[SOURCE, AREA, SOURCE], /module 2 is a source behind one/],
    [Array<WrittenModule>(21).fill(SOURCE), /at most 20 modules; this one has 21/],
  ])('are refused in another order: %#', async (written, message) => {
    await expect(check(...written)).rejects.toThrow(message);
  });
});

describe('modules of a project', () => {
  it('have slugs of their own', () => {
    const named = (slug: string) => ({ ...scale, definition: { ...scale.definition, slug } });
    const { modules, problems } = moduleRegistry([
      scale,
      named('scale'),
      named('calculation'),
      named('My module'),
      { ...scale, definition: { ...scale.definition, slug: 'reader', inputAttributes: () => [] } },
    ]);
    expect([...modules.keys()]).toEqual(['attributes_source', 'calculation', 'ai_prompt', 'scale']);
    expect(problems.map(({ message }) => message)).toEqual([
      'module "scale" is there twice. Give one of them another slug.',
      `module "calculation" is called as one of Millrace's own. Give it another slug.`,
      expect.stringMatching(/module "My module": a slug begins with a small letter/),
      expect.stringMatching(/module "reader" is a processor/),
    ]);
    expect(problems[0]?.site?.file).toMatch(/checked-pipeline\.test\.ts$/);
  });
});

describe('other settings of a pipeline', () => {
  it('are within their limits', () => {
    const right = { name: null, batchSize: null, runBudget: null, dayBudget: null };
    expect(pipelineSettingsProblems(right)).toEqual([]);
    expect(pipelineSettingsProblems({ ...right, batchSize: 5_000, runBudget: 0 })).toEqual([]);
    const wrong = { name: ' ', batchSize: 5_001, runBudget: -1, dayBudget: Number.NaN };
    expect(pipelineSettingsProblems(wrong).map(({ path }) => path)).toEqual([
      'name',
      'batch_size',
      'run_budget',
      'day_budget',
    ]);
  });
});
