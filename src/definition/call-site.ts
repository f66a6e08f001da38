import type { Site } from './problem.js';

/** Frames of this package between a person's file and {@link callerSite}: the `defineX` that calls it. */
const OWN_FRAMES = 2;

/**
 * The file and line that called the `defineX` which called this. Exact where the runtime maps sources (the loader
 * turns that on); undefined where the stack has another form.
 */
export function callerSite(): Site | undefined {
  const frame = new Error().stack?.split('\n')[OWN_FRAMES + 1];
  return frame === undefined ? undefined : siteOfFrame(frame);
}

/** `    at name (/dir/file.ts:3:10)`, or without a name and the parentheses; the file may be a URL. */
const FRAME = /^\s*at (?:async )?(?:(?:.*? \()?((?:file:\/\/|\/|[A-Za-z]:\\).*?)):(\d+):(\d+)\)?$/;

/** The place that a line of a stack names, or undefined where it names no file. */
export function siteOfFrame(frame: string): Site | undefined {
  const match = FRAME.exec(frame);
  // In code that `eval` made, a frame names where it was called.
  if (match?.[1] === undefined || match[1].includes('<anonymous>')) return undefined;
  return { file: pathOf(match[1]), line: Number(match[2]), column: Number(match[3]) };
}

function pathOf(file: string): string {
  if (!file.startsWith('file://')) return file;
  const path = decodeURIComponent(file.slice('file://'.length));
  // `/C:/dir` on Windows.
  return /^\/[A-Za-z]:\//.test(path) ? path.slice(1) : path;
}
