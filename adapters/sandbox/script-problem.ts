import { parse } from 'acorn';
import type { ScriptProblem } from '../../src/attribute-pipeline/sandbox.js';

/** Most characters of a script. */
export const MAX_SCRIPT = 100_000;

/** Comments as in HTML, which some parsers take for comments and others for operators: what is code must be beyond doubt. */
const HTML_COMMENT = /<!--|-->/;

/**
 * What is wrong with a script before it is ever run: it must be a whole function body by itself, so that it cannot close the function that
 * is made of it.
 */
export function scriptProblem(code: string): ScriptProblem | undefined {
  if (code.trim() === '') return { message: 'The script is empty.', line: null, column: null };
  if (code.length > MAX_SCRIPT)
    return {
      message: `The script has ${String(code.length)} characters; the most are ${String(MAX_SCRIPT)}.`,
      line: null,
      column: null,
    };
  const html = HTML_COMMENT.exec(code);
  if (html !== null) return at(code, html.index, `A script has no ${html[0]}.`);
  try {
    parse(`"use strict";${code}`, {
      ecmaVersion: 2023,
      sourceType: 'script',
      allowReturnOutsideFunction: true,
      allowHashBang: false,
    });
    return undefined;
  } catch (error) {
    const { pos = 0 } = error as { readonly pos?: number };
    const message = error instanceof Error ? error.message : String(error);
    return at(
      code,
      Math.max(0, pos - '"use strict";'.length),
      message.replace(/ \(\d+:\d+\)$/, ''),
    );
  }
}

function at(code: string, position: number, message: string): ScriptProblem {
  const before = code.slice(0, position).split(/\r\n|[\n\r\u2028\u2029]/);
  const line = before.length;
  const column = (before.at(-1)?.length ?? 0) + 1;
  return { message: `${message} (line ${String(line)}, column ${String(column)})`, line, column };
}
