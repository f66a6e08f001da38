import { basename, dirname, relative, sep } from 'node:path';
import type { TestRunner } from '../project/test-runner.js';
import type { Recording } from './recording.js';

/** Longest time of one test, in milliseconds: a server may have to be started. */
const TEST_TIMEOUT_MS = 60_000;

/** What a test file is written for. */
export interface TestFileRequest {
  readonly recording: Recording;
  /** Where it is going to be; absolute. */
  readonly file: string;
  /** Where the recording is; beside it. */
  readonly recordingFile: string;
  /** The project's folder; absolute. */
  readonly dir: string;
  readonly runner: TestRunner;
  /** Operations, steps or handlers that do their work all the same. */
  readonly real: readonly string[];
}

/** The text of a test that runs what was recorded, and compares what comes of it. It is JavaScript as well as TypeScript. */
export function testFileText(request: TestFileRequest): string {
  const { recording, file, recordingFile, dir, runner, real } = request;
  const { name, run, outcome } = recording;
  const folder = urlPath(relative(dirname(file), dir));
  const options = [
    `dir: new URL(${quoted(folder)}, import.meta.url)`,
    ...(real.length > 0 ? [`real: [${real.map(quoted).join(', ')}]`] : []),
  ];
  const title = `${name}, as recorded: ${outcome.status}`;
  const body = [
    `  const { outcome, recorded } = await runRecorded(`,
    `    new URL(${quoted(`./${encodeURIComponent(basename(recordingFile))}`)}, import.meta.url),`,
    `    { ${options.join(', ')} },`,
    `  );`,
  ];
  return [
    `// What ${run} was given and gave is in ${basename(recordingFile)}. Made by \`millrace record\`; change it as you like.`,
    ...imports(runner),
    `import { runRecorded } from 'millrace/testing';`,
    '',
    `test(${quoted(title)}, async () => {`,
    ...body,
    runner === 'node'
      ? '  assert.deepEqual(outcome, recorded);'
      : '  expect(outcome).toEqual(recorded);',
    runner === 'node' ? '});' : `}, ${String(TEST_TIMEOUT_MS)});`,
    '',
  ].join('\n');
}

function imports(runner: TestRunner): readonly string[] {
  switch (runner) {
    case 'node':
      return [`import assert from 'node:assert/strict';`, `import { test } from 'node:test';`];
    case 'jest':
      return [`import { expect, test } from '@jest/globals';`];
    case 'vitest':
      return [`import { expect, test } from 'vitest';`];
  }
}

/** A folder as a relative URL; its end says that it is one. */
function urlPath(path: string): string {
  const parts = path.split(sep).filter((part) => part !== '');
  return parts.length === 0 ? './' : `${parts.map(encodeURIComponent).join('/')}/`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', ' ')}'`;
}
