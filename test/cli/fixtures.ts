import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProjectFiles } from '../support/project.js';
import { until } from '../support/until.js';

/** A config that serves every pipeline, on a task queue of its own where the server is shared. */
export function config(taskQueue = 'millrace', more = ''): string {
  return `import { defineConfig } from 'millrace';
export default defineConfig({ catchAllRoutes: true, asyncQueue: '${taskQueue}', ${more} });
`;
}

/**
 * An operation that takes `steps` steps of 100 ms and keeps a checkpoint. It writes each attempt's first step to a file, and the
 * steps that it has taken to another.
 */
export const WALK = `import { appendFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { defineOperation } from 'millrace';
import { z } from 'zod';

export const walk = defineOperation({
  name: 'walk',
  reads: z.object({ steps: z.number().int(), notes: z.string() }),
  sets: z.object({ walked: z.number().int() }),
  run: async ({ input: { steps, notes }, checkpoint, heartbeat, signal, attempt }) => {
    const from = z.number().parse(checkpoint ?? 0);
    appendFileSync(notes, \`attempt \${attempt} of \${process.pid} from \${from}\\n\`);
    for (let step = from; step < steps; step += 1) {
      await pause(100, undefined, { signal });
      heartbeat({ completed: step + 1, total: steps }, step + 1);
      writeFileSync(\`\${notes}.steps\`, String(step + 1));
    }
    return { walked: steps };
  },
});
`;

/** A pipeline that walks. */
export const WALK_PIPELINE = `name: walk
timeout: 2 minutes
stages:
  - name: walk
    operations: [{ type: walk }]
`;

/** A project that walks. */
export const WALKING_PROJECT: ProjectFiles = {
  'millrace.config.ts': config(),
  'operations/walk.ts': WALK,
  'pipelines/walk.yml': WALK_PIPELINE,
};

/** Waits until a walk has taken so many steps. */
export async function walked(dir: string, steps: number): Promise<void> {
  const file = join(dir, 'notes.txt.steps');
  await until(async () => {
    const taken = Number(await readFile(file, 'utf8').catch(() => '0'));
    return taken >= steps ? true : undefined;
  }, 30_000);
}

/** What walks have noted: the attempt, its process, and the step that it began with. */
export async function notesOf(
  dir: string,
): Promise<readonly { readonly attempt: number; readonly pid: number; readonly from: number }[]> {
  const lines = (await readFile(join(dir, 'notes.txt'), 'utf8')).trim().split('\n');
  return lines.map((line) => {
    const [, attempt = '', pid = '', from = ''] =
      /^attempt (\d+) of (\d+) from (\d+)$/.exec(line) ?? [];
    return { attempt: Number(attempt), pid: Number(pid), from: Number(from) };
  });
}

/** Posts JSON and reads the answer. */
export async function post(
  url: string,
  body: unknown,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}
