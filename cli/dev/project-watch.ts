import { sep } from 'node:path';
import { watch, type FSWatcher } from 'chokidar';

/** Editors and version control write several files at once: what follows within this time belongs to one change. */
const SETTLE_MS = 100;

/** Folders that are never looked into. */
const NEVER: readonly string[] = ['node_modules', '.millrace', '.git'];

/** Tells when files of a project change. */
export class ProjectWatch {
  readonly #dir: string;
  readonly #watcher: FSWatcher;
  readonly #onChange: (files: readonly string[]) => void;
  readonly #changed = new Set<string>();
  #places: readonly string[];
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param dir - the project; folders in it that do not exist yet are noticed when they appear
   * @param places - files and folders of which a change matters, absolute; also outside of the project
   * @param onChange - gets the files that changed, absolute paths
   */
  constructor(
    dir: string,
    places: readonly string[],
    onChange: (files: readonly string[]) => void,
  ) {
    this.#dir = dir;
    this.#places = places;
    this.#onChange = onChange;
    this.#watcher = watch([dir, ...this.#outside(places)], {
      ignoreInitial: true,
      ignored: (path) => !this.#matters(path),
    });
    this.#watcher.on('all', (_event, path) => {
      this.#note(path);
    });
    this.#watcher.on('error', (error) => {
      const reason = error instanceof Error ? error.message : String(error);
      process.stderr.write(`Some changes may not be noticed: ${reason}\n`);
    });
  }

  /** Resolves when changes are noticed from now on. */
  async ready(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#watcher.once('ready', resolve);
    });
  }

  /** Watches other places: a reload may have found more. */
  update(places: readonly string[]): void {
    const added = places.filter((place) => !this.#places.includes(place));
    this.#places = places;
    if (added.length > 0) this.#watcher.add(added);
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#watcher.close();
  }

  #outside(places: readonly string[]): readonly string[] {
    return places.filter((place) => !isBelow(place, this.#dir));
  }

  /** A place, what is in it, and the folders on the way to it. */
  #matters(path: string): boolean {
    if (path === this.#dir) return true;
    if (path.split(sep).some((part) => NEVER.includes(part)) && isBelow(path, this.#dir))
      return false;
    return this.#places.some(
      (place) => path === place || isBelow(path, place) || isBelow(place, path),
    );
  }

  #note(path: string): void {
    // A folder on the way to a place is no change of one.
    if (!this.#places.some((place) => path === place || isBelow(path, place))) return;
    this.#changed.add(path);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const files = [...this.#changed];
      this.#changed.clear();
      this.#onChange(files);
    }, SETTLE_MS);
  }
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
