import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A TypeScript program that a plain `node` can run. */
export interface BundledProgram {
  /** Path of the JavaScript file to give to `node`. */
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Bundles a TypeScript file of ours so that a test can run it as a process of its own, and kill it.
 * Packages stay outside of the bundle.
 */
export async function bundleProgram(entry: string): Promise<BundledProgram> {
  const parent = join(root, 'node_modules', '.cache', 'millrace');
  await mkdir(parent, { recursive: true });
  const dir = await mkdtemp(join(parent, 'program-'));
  const path = join(dir, 'program.mjs');
  await build({
    entryPoints: [entry],
    outfile: path,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    sourcemap: 'inline',
    logLevel: 'error',
  });
  return {
    path,
    remove: async () => {
      await rm(dir, { recursive: true, force: true });
    },
  };
}
