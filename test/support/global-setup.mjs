import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
// Below node_modules, so that the bundle finds the packages that it leaves out.
const bundle = join(
  root,
  'node_modules',
  '.cache',
  'millrace',
  `shared-servers-${String(process.pid)}.mjs`,
);

/**
 * Starts one Temporal dev server and one PostgreSQL for all test files. Jest loads this file outside of its ESM
 * transform, so the TypeScript that does the work is bundled first.
 */
export default async function setUp() {
  await mkdir(dirname(bundle), { recursive: true });
  await build({
    entryPoints: [join(root, 'test', 'support', 'shared-servers.ts')],
    outfile: bundle,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    sourcemap: 'inline',
    logLevel: 'error',
  });
  const { startSharedServers } = await import(pathToFileURL(bundle).href);
  globalThis.sharedServers = { servers: await startSharedServers(), bundle };
}
