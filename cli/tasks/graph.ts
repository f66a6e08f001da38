import type { Command } from 'commander';
import { mermaid } from '../../src/task/mermaid.js';
import { projectDir } from '../project.js';
import { requireTask } from './project-task.js';

/** Adds `tasks graph`: the steps of a task as a diagram. */
export function addGraphCommand(tasks: Command): void {
  tasks
    .command('graph <name>')
    .summary('print the steps of a task as a Mermaid diagram')
    .description('Prints how the steps of a task depend on each other, as a Mermaid flowchart.')
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .action(async (name: string, { dir }: { readonly dir?: string }) => {
      const { plan } = await requireTask(projectDir(dir), name);
      process.stdout.write(mermaid(plan));
    });
}
