import type { Site } from './problem.js';

/** Frames of this package between a person's file and {@link callerSite}: the `defineX` that calls it. */
const OWN_FRAMES = 2;

/**
 * The file and line that called the `defineX` which called this. Exact where the runtime maps sources (the loader
 * turns that on); undefined where the stack has another form.
 */
export function callerSite(): Site | undefined {
  const frame = new Error().stack?.split('\n')[OWN_FRAMES + 1];
  const match = frame === undefined ? null : /\(?(?:file:\/\/)?([^()\s][^()]*?):(\d+):(\d+)\)?$/.exec(frame.replace(/^\s*at (?:.* \()?/, ''));
  if (match?.[1] === undefined) return undefined;
  return { file: match[1], line: Number(match[2]), column: Number(match[3]) };
}
