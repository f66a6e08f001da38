import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { config, post } from '../cli/fixtures.js';
import { useCli, type CliProcess } from '../support/cli.js';
import { writeProject, type ProjectFiles } from '../support/project.js';
import { sharedServerAddress, uniqueTaskQueue } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { tell } from './measurements.js';

const dir = useTemporaryDirectory();
const start = useCli();

/** How long runs are started, and how often. */
const SOAK_MS = 60_000;
const EVERY_MS = 400;

/** Most attempts of each operation. A worker may be lost in each; twelve are replaced. */
const ATTEMPTS = 8;

/** An operation of about a second that notes each time its body begins. */
function operation(name: string, reads: string, sets: string, result: string): string {
  return `import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { defineOperation } from 'millrace';
import { z } from 'zod';

export const operation = defineOperation({
  name: '${name}',
  reads: z.object({ notes: z.string(), ${reads} }),
  sets: z.object({ ${sets} }),
  run: async ({ input, run, attempt, heartbeat, signal }) => {
    appendFileSync(input.notes, \`\${run.id} ${name} \${attempt}\\n\`);
    for (let step = 0; step < 10; step += 1) {
      heartbeat({ completed: step, total: 10 });
      await pause(100, undefined, { signal });
    }
    return ${result};
  },
});
`;
}

const DOUBLE = operation(
  'double',
  'n: z.number()',
  'doubled: z.number()',
  '{ doubled: input.n * 2 }',
);
const POLISH = operation(
  'polish',
  'doubled: z.number()',
  'polished: z.number()',
  '{ polished: input.doubled + 1 }',
);
const LABEL = `import { defineOperation } from 'millrace';
import { z } from 'zod';

export const label = defineOperation({
  name: 'label',
  reads: z.object({ doubled: z.number() }),
  sets: z.object({ label: z.string() }),
  quick: true,
  run: ({ input }) => ({ label: \`<\${input.doubled}>\` }),
});
`;

const RETRY = `retry: { maximum_attempts: ${String(ATTEMPTS)}, initial_interval: 100ms, maximum_interval: 1s }`;

const PLAIN = `name: plain
timeout: 5 minutes
stages:
  - name: double
    operations: [{ type: double, ${RETRY} }]
  - name: label
    operations: [{ type: label }]
`;

const POLISHED = `name: polished
timeout: 5 minutes
stages:
  - name: double
    operations: [{ type: double, ${RETRY} }]
  - name: polish
    operations: [{ type: polish, ${RETRY} }]
`;

/** What the first version deploys; the second adds an operation and a pipeline that needs it. */
function versions(taskQueue: string): Readonly<Record<'old' | 'new', ProjectFiles>> {
  const old = {
    'millrace.config.ts': config(taskQueue, `worker: { shutdownGraceTime: '500ms' }`),
    'operations/double.ts': DOUBLE,
    'operations/label.ts': LABEL,
    'pipelines/plain.yml': PLAIN,
  };
  const added = { 'operations/polish.ts': POLISH, 'pipelines/polished.yml': POLISHED };
  return { old, new: { ...old, ...added } };
}

interface StartedRun {
  readonly url: string;
  readonly n: number;
  readonly pipeline: string;
}

async function startRuns(server: string, notes: string): Promise<readonly StartedRun[]> {
  const runs: StartedRun[] = [];
  const until = Date.now() + SOAK_MS;
  for (let n = 0; Date.now() < until; n += 1) {
    const pipeline = n % 2 === 0 ? 'plain' : 'polished';
    const { status, body } = await post(`${server}/pipelines/${pipeline}/async`, { n, notes });
    if (status !== 202) throw new Error(`run ${String(n)} was not started: ${String(status)}`);
    // The body of a 202 has it.
    const { execution_id: id } = body as { execution_id: string };
    runs.push({ url: `${server}/pipelines/${pipeline}/executions/${id}`, n, pipeline });
    await delay(EVERY_MS);
  }
  return runs;
}

async function untilClosed(url: string, deadline: number): Promise<unknown> {
  for (;;) {
    const body = (await (await fetch(url)).json()) as { status: string };
    if (body.status !== 'running' && body.status !== 'pending') return body;
    if (Date.now() > deadline) return body;
    await delay(250);
  }
}

/** How often the body of each operation of each run has begun. */
async function executions(notes: string): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const line of (await readFile(notes, 'utf8')).trim().split('\n')) {
    const key = line.slice(0, line.lastIndexOf(' '));
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function expected({ n, pipeline }: StartedRun): Readonly<Record<string, unknown>> {
  const doubled = n * 2;
  return pipeline === 'plain'
    ? { doubled, label: `<${String(doubled)}>` }
    : { doubled, polished: doubled + 1 };
}

describe('a rolling deploy under load', () => {
  it('loses no run: each has the right result, and no operation ran more often than its attempts allow', async () => {
    const { old, new: newer } = versions(uniqueTaskQueue());
    const folders = {
      old: await writeProject(join(dir.path, 'old'), old),
      new: await writeProject(join(dir.path, 'new'), newer),
    };
    const env = { TEMPORAL_ADDRESS: sharedServerAddress() };
    const startWorker = async (version: 'old' | 'new'): Promise<CliProcess> => {
      const worker = start(['worker'], { cwd: folders[version], env });
      await worker.says(/worker ready/);
      return worker;
    };
    const server = start(['server', '--port', '0'], { cwd: folders.new, env });
    const [, url = ''] = await server.says(/"url":"(http:[^"]+)"/);
    const workers = [await startWorker('old'), await startWorker('old')];
    const notes = join(dir.path, 'notes.txt');

    const starting = startRuns(url, notes);
    // First no worker has the new operation, then one, then all; then it is rolled back and deployed again.
    const deploys = ['new', 'new', 'old', 'old', 'new', 'old', 'new', 'new'] as const;
    const replaced = { SIGTERM: 0, SIGKILL: 0 };
    for (const [place, version] of deploys.entries()) {
      await delay(SOAK_MS / deploys.length / 2);
      const signal = place % 2 === 0 ? 'SIGTERM' : 'SIGKILL';
      workers.push(await startWorker(version));
      await workers.shift()?.stop(signal);
      replaced[signal] += 1;
    }
    const runs = await starting;
    const deadline = Date.now() + 120_000;
    const ended = await Promise.all(runs.map(({ url: run }) => untilClosed(run, deadline)));

    const right = ended.filter((body, place) => {
      const run = runs[place];
      const { status, result } = body as { status: string; result: unknown };
      return (
        run !== undefined &&
        status === 'completed' &&
        Object.entries(expected(run)).every(
          ([name, value]) => (result as Record<string, unknown>)[name] === value,
        )
      );
    });
    const counts = [...(await executions(notes)).values()];
    const needed = runs.reduce((sum, { pipeline }) => sum + (pipeline === 'plain' ? 1 : 2), 0);
    tell('rolling deploy', {
      runs: runs.length,
      SIGTERM: replaced.SIGTERM,
      SIGKILL: replaced.SIGKILL,
      lost: runs.length - right.length,
      operations: needed,
      'executed again': counts.reduce((sum, count) => sum + count - 1, 0),
      'most executions of one': Math.max(...counts),
    });
    const wrong = ended.filter((body) => !right.includes(body));
    expect(wrong).toEqual([]);
    expect(counts).toHaveLength(needed);
    expect(Math.max(...counts)).toBeLessThanOrEqual(ATTEMPTS);
    // The workers did lose work: otherwise nothing was tested.
    expect(Math.max(...counts)).toBeGreaterThan(1);
  });
});
