import { describe, expect, it } from '@jest/globals';
import { loadRightProject, messagesIn, writeProject } from '../../support/project.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const temporary = useTemporaryDirectory();
const messages = messagesIn(temporary);

const CONFIG = `import { defineConfig, register } from 'millrace';
for (const carrier of ['snail', 'bird']) register('ship_by_' + carrier, () => ({ carrier }));
export default defineConfig({});
`;
const TASK = 'name: ship\nsteps:\n  - { name: one, handler: ship_by_snail }\n';

describe('a step handler that is registered by code', () => {
  it('can be used by templates, in every load of the project', async () => {
    await writeProject(temporary.path, { 'millrace.config.ts': CONFIG, 'tasks/ship.yml': TASK });
    for (let load = 0; load < 2; load += 1) {
      const { registry } = await loadRightProject(temporary.path);
      expect([...registry.stepHandlers.keys()]).toEqual(['ship_by_snail', 'ship_by_bird']);
      expect(registry.stepHandlers.get('ship_by_bird')?.site).toMatchObject({
        file: 'millrace.config.ts',
        line: 2,
      });
    }
  });

  it('may be exported as well, and may be made by defineStepHandler', async () => {
    const handlers = `import { defineStepHandler, register } from 'millrace';
export const one = register(defineStepHandler({ name: 'ship_by_snail', run: () => ({}) }));
`;
    await writeProject(temporary.path, { 'handlers/one.ts': handlers, 'tasks/ship.yml': TASK });
    const { registry } = await loadRightProject(temporary.path);
    expect([...registry.stepHandlers.keys()]).toEqual(['ship_by_snail']);
  });

  it('may share its function with another, by whichever way each is found', async () => {
    const handlers = `import { defineStepHandler, defineTask, register } from 'millrace';
const run = () => ({});
export const snail = defineStepHandler({ name: 'ship_by_snail', run });
register('ship_by_bird', run);
const boat = defineStepHandler({ name: 'ship_by_boat', run });
export const sail = defineTask({ name: 'sail', steps: [{ name: 'one', handler: boat }] });
`;
    await writeProject(temporary.path, { 'handlers/one.ts': handlers, 'tasks/ship.yml': TASK });
    const { registry } = await loadRightProject(temporary.path);
    expect([...registry.stepHandlers.keys()]).toEqual([
      'ship_by_snail',
      'ship_by_bird',
      'ship_by_boat',
    ]);
  });

  it('gives its module a purpose, though it exports nothing', async () => {
    const handlers = `import { register } from 'millrace';\nregister('ship_by_snail', () => ({}));\n`;
    await writeProject(temporary.path, { 'handlers/one.ts': handlers, 'tasks/ship.yml': TASK });
    expect(await messages({})).toEqual([]);
  });

  it('is told of where it is none, or its name is taken', async () => {
    const wrong = `import { register } from 'millrace';
register('ship_by_snail', 7);
register('ship_by_snail', () => ({}));
`;
    expect(await messages({ 'handlers/one.js': wrong, 'tasks/ship.yml': TASK })).toEqual([
      'handlers/one.js:2:1  step handler "ship_by_snail": run must be a function: run: async (context) => { … }.',
      'handlers/one.js:3:1  step handler "ship_by_snail" is already defined by handlers/one.js:2. Rename one of them.',
    ]);
  });
});
