import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CatalogSettings } from '../src/config/config.js';

/** A catalog that only one test environment has: the project's own would be changed by its tests. */
export class TestCatalog {
  private constructor(private readonly dir: string) {}

  static async create(): Promise<TestCatalog> {
    return new TestCatalog(await mkdtemp(join(tmpdir(), 'millrace-test-catalog-')));
  }

  get settings(): CatalogSettings {
    return { url: `sqlite:${join(this.dir, 'catalog.db')}` };
  }

  async remove(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }
}
