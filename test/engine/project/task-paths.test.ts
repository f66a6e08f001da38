import { describe, expect, it } from '@jest/globals';
import { loadProject } from '../../../engine/project/load-project.js';
import { loadRightProject, messagesIn, writeProject } from '../../support/project.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const temporary = useTemporaryDirectory();
const messages = messagesIn(temporary);

const HANDLER = `import { defineStepHandler } from 'millrace';
export const ship = defineStepHandler({ name: 'ship', run: () => ({}) });
`;
const TASK = 'name: send\nsteps:\n  - { name: one, handler: ship }\n';

describe('handlers and templates', () => {
  it('are found in the folders that the configuration names, and these are watched', async () => {
    const dir = await writeProject(temporary.path, {
      'config/millrace/base/worker.toml':
        '[tasks]\nhandler_paths = ["app/handlers"]\ntemplate_paths = ["app/templates"]\n',
      'app/handlers/ship.ts': HANDLER,
      'app/templates/send.yml': TASK,
    });
    const { registry } = await loadRightProject(dir);
    expect([...registry.stepHandlers.keys()]).toEqual(['ship']);
    expect(registry.definitions.get('send')?.site).toMatchObject({
      file: 'app/templates/send.yml',
    });
    const { watched } = await loadProject(dir);
    expect(watched.map((path) => path.slice(dir.length + 1))).toEqual(
      expect.arrayContaining(['app/handlers', 'app/templates']),
    );
  });

  it('are found once where a folder is named that is looked into anyway', async () => {
    expect(
      await messages({
        'config/millrace/base/worker.toml':
          '[tasks]\nhandler_paths = ["handlers"]\ntemplate_paths = ["tasks"]\n',
        'handlers/ship.ts': HANDLER,
        'tasks/send.yml': TASK,
      }),
    ).toEqual([]);
  });

  it('are told of where a folder is none', async () => {
    expect(
      await messages({
        'config/millrace/base/worker.toml':
          '[tasks]\nhandler_paths = ["app/handlers"]\ntemplate_paths = ["app/templates"]\n',
      }),
    ).toEqual([
      expect.stringContaining(
        'config: tasks.handlerPaths: there is no file or folder app/handlers.',
      ),
      expect.stringContaining('config: tasks.templatePaths: there is no folder app/templates.'),
    ]);
  });
});
