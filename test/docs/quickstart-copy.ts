import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { shareBundles } from '../support/project-directory.js';
import { ROOT } from './page.js';
import { linkPackages, MILLRACE } from './running-project.js';

/** Copies the quickstart into a folder, with the packages that it uses, as if it had been cloned and installed there. */
export async function copyQuickstart(dir: string): Promise<void> {
  if (!existsSync(MILLRACE)) throw new Error('Build it first: npm run build');
  cpSync(join(ROOT, 'examples/quickstart'), dir, {
    recursive: true,
    filter: (path) => !path.includes('.millrace'),
  });
  linkPackages(dir);
  await shareBundles(dir);
}
