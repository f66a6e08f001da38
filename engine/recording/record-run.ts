import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import type { Engine } from '../engine.js';
import { parseRunId } from '../run-id.js';
import { readRecording } from './read-recording.js';
import { RecordingExists } from './recording-errors.js';
import type { Recording } from './recording.js';
import { nearestPackage } from '../project/package-file.js';
import { testRunnerOf, type TestRunner } from '../project/test-runner.js';
import { testFileText } from './test-file.js';

/** How a run is recorded. */
export interface RecordRunOptions {
  /** The project's folder; the working directory unless set. */
  readonly dir?: string;
  /** The test's file, from that folder: `test/<name>-<end of the id>.test.ts` unless set. What was recorded goes beside it, as JSON. */
  readonly file?: string;
  /** For which the test is written: what the project's package.json has, of jest and vitest, else `node:test`; of both, the one of its script `test`. */
  readonly runner?: TestRunner;
  /** Operations, steps or handlers that do their work in the test, by their names. */
  readonly real?: readonly string[];
  /** Files that are there are replaced. */
  readonly force?: boolean;
}

/** A recorded run, and where it is. */
export interface RecordedRun {
  readonly recording: Recording;
  /** The test; absolute. */
  readonly file: string;
  /** The recording; absolute. */
  readonly recordingFile: string;
}

/** Characters of a run's id that are part of a file's name: those that differ. */
const ID_CHARACTERS = 8;

/**
 * Makes a test of a run that is over: reads what it was given and what its operations or steps did, from its history, and writes that
 * beside a test that runs it again with these results. All of it is what the run's history holds: look through it for what should be in
 * no repository.
 *
 * @param id - the workflow id: `pipeline/summarize/01J…`
 * @example
 * ```ts
 * const { run } = await engine.execute('word-report', { text: 'one two' });
 * const { file } = await recordRun(engine, run.id);
 * ```
 *
 * @throws {@link NotRecordable}, {@link RunNotFound}, {@link RecordingExists}
 */
export async function recordRun(
  engine: Pick<Engine, 'temporal'>,
  id: string,
  options: RecordRunOptions = {},
): Promise<RecordedRun> {
  const { real = [], force = false } = options;
  const dir = resolve(options.dir ?? '.');
  const recording = await readRecording(engine.temporal.client, id);
  const file = resolve(dir, options.file ?? (await defaultFile(dir, id)));
  const recordingFile = `${file.slice(0, -extname(file).length).replace(/\.test$/, '')}.json`;
  const runner = options.runner ?? testRunnerOf(nearestPackage(dir));
  const text = testFileText({ recording, file, recordingFile, dir, runner, real });
  await mkdir(dirname(file), { recursive: true });
  const flag = force ? 'w' : 'wx';
  await write(recordingFile, `${JSON.stringify(recording, undefined, 2)}\n`, flag);
  await write(file, text, flag).catch(async (error: unknown) => {
    // Without its test it would only be in the way of the next attempt.
    if (!force) await rm(recordingFile, { force: true });
    throw error;
  });
  return { recording, file, recordingFile };
}

async function defaultFile(dir: string, id: string): Promise<string> {
  const { name = 'run', executionId = id } = parseRunId(id) ?? {};
  const isTypeScript = await isThere(join(dir, 'tsconfig.json'));
  const end = executionId.slice(-ID_CHARACTERS).toLowerCase();
  return join('test', `${name}-${end}.test.${isTypeScript ? 'ts' : 'mjs'}`);
}

async function write(file: string, text: string, flag: 'w' | 'wx'): Promise<void> {
  await writeFile(file, text, { flag }).catch((error: unknown) => {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    throw exists ? new RecordingExists(file) : error;
  });
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
