import { InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { generate, type GenerateRequest } from '../../generator/generate.js';
import { EXIT } from '../exit-code.js';
import { changeReport } from './change-report.js';

/** Generates, and tells what came of it. @returns the exit code */
export async function generateAndTell(request: GenerateRequest): Promise<number> {
  const { force = false, dryRun = false } = request;
  const { changes, written } = await generate(request);
  process.stdout.write(`${changeReport({ changes, force })}\n`);
  if (written) return EXIT.ok;
  if (dryRun) {
    process.stdout.write(pc.dim('Nothing was written: --dry-run.\n'));
    return EXIT.ok;
  }
  process.stdout.write(
    'Nothing was written: a file is there that differs. --force writes over it.\n',
  );
  return EXIT.failed;
}

/** Gathers `key=value` of an option that may be given more than once. */
export function gatherValue(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at <= 0) throw new InvalidArgumentError('Write key=value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
