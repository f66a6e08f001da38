import { readFile, writeFile } from 'node:fs/promises';
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
 * An operation that takes `steps` steps of 100 ms and keeps a checkpoint; fewer steps when it is told that they are enough, see
 * {@link endWalk}. It writes each attempt's first step to a file, and the steps that it has taken to another.
 */
export const WALK = `import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
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
    let walked = from;
    while (walked < steps && !existsSync(\`\${notes}.enough\`)) {
      await pause(100, undefined, { signal });
      walked += 1;
      heartbeat({ completed: walked, total: steps }, walked);
      writeFileSync(\`\${notes}.steps\`, String(walked));
    }
    return { walked };
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

/** Lets a walk end with the step that it is at. Walks of a minute, which a test has seen enough of, need not go on for it. */
export async function endWalk(dir: string): Promise<void> {
  await writeFile(join(dir, 'notes.txt.enough'), '');
}

/** Waits until another attempt of a walk has begun, and gives the two of them. */
export async function walkedOn(dir: string): Promise<readonly [Attempt, Attempt]> {
  return until(async () => {
    const [first, second] = await notesOf(dir);
    return first !== undefined && second !== undefined ? ([first, second] as const) : undefined;
  }, 40_000);
}

/** An attempt of a walk, as it has noted it. */
export interface Attempt {
  readonly attempt: number;
  readonly pid: number;
  /** The step that it began with. */
  readonly from: number;
}

/** What walks have noted: the attempt, its process, and the step that it began with. */
export async function notesOf(dir: string): Promise<readonly Attempt[]> {
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
