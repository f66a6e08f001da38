import { mkdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach } from '@jest/globals';
import { STATE_FOLDER } from '../../engine/dev-server/dev-record.js';
import { useTemporaryDirectory } from './temporary-directory.js';

/** Workflow code that was bundled for a test, for all of them: a bundle's name is the hash of what is in it. */
const BUNDLES = join(tmpdir(), 'millrace-test-bundles');

/** A folder like that of `useTemporaryDirectory`, for a project that a worker takes: see {@link shareBundles}. */
export function useProjectDirectory(): { readonly path: string } {
  const dir = useTemporaryDirectory();
  beforeEach(() => shareBundles(dir.path));
  return dir;
}

/**
 * Has workers of a project keep their bundles where all tests do. Most of them have the same workflow code, our own, and bundling
 * it takes longer than everything else in such a test. For folders that have no state yet.
 */
export async function shareBundles(dir: string): Promise<void> {
  await mkdir(BUNDLES, { recursive: true });
  await mkdir(join(dir, STATE_FOLDER), { recursive: true });
  await symlink(BUNDLES, join(dir, STATE_FOLDER, 'bundles'));
}
