import { relative } from 'node:path';
import pc from 'picocolors';
import type { Logger } from 'pino';
import {
  loadProject,
  type LoadedProject,
  type Project,
} from '../../engine/project/load-project.js';
import { errorReport } from '../error-report.js';
import { logLevel } from '../logger.js';
import { problemReport } from '../problem-report.js';
import { countLine, shownDir } from './banner.js';
import type { DevSession } from './dev-session.js';
import { ProjectWatch } from './project-watch.js';

/** Most files that a line about a reload names. */
const MAX_NAMED = 3;

/** Loads a project whenever its files change, and hands it to a session when it is right. */
export class ProjectReloads {
  #watch: ProjectWatch | undefined;
  readonly #changed = new Set<string>();
  /** What has changed since the project that runs: a reload that is refused leaves them for the next one. */
  readonly #notTaken = new Set<string>();
  #onChange: () => void = () => undefined;
  #session: { readonly session: DevSession; readonly log: Logger } | undefined;
  #busy = false;
  #closed = false;

  /** @param dir - the project's folder, without symbolic links */
  constructor(private readonly dir: string) {}

  /** The project as soon as it is right: until then its problems are told after each change. Undefined when aborted. */
  async untilRight(signal: AbortSignal): Promise<Project | undefined> {
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    while (!signal.aborted) {
      this.#changed.clear();
      const changed = new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
      const loaded = await this.#load();
      if (loaded.problems.length > 0) process.stdout.write(`\n${problemReport(loaded.problems)}\n`);
      if (loaded.project !== undefined) return loaded.project;
      process.stdout.write(pc.dim(`\n  Waiting for changes in ${shownDir(this.dir)}.\n`));
      await Promise.race([changed, aborted]);
    }
    return undefined;
  }

  /** From now on changes go into a session. */
  into(session: DevSession, log: Logger): void {
    this.#session = { session, log };
    this.#onChange = () => void this.#work();
    void this.#work();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#watch?.close();
  }

  async #load(): Promise<LoadedProject> {
    const loaded = await loadProject(this.dir);
    if (this.#watch === undefined) {
      this.#watch = new ProjectWatch(this.dir, loaded.watched, (files) => {
        files.forEach((file) => this.#changed.add(file));
        this.#onChange();
      });
      await this.#watch.ready();
    } else {
      this.#watch.update(loaded.watched);
    }
    return loaded;
  }

  /** One reload after the other: what changes meanwhile is taken with the next one. */
  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#changed.size > 0 && !this.#closed) {
      const files = [...this.#changed];
      this.#changed.clear();
      await this.#reload(files);
    }
    this.#busy = false;
  }

  async #reload(files: readonly string[]): Promise<void> {
    if (this.#session === undefined) return;
    const { session, log } = this.#session;
    files.forEach((file) => this.#notTaken.add(file));
    try {
      const { project, problems } = await this.#load();
      if (problems.length > 0) process.stdout.write(`\n${problemReport(problems)}\n`);
      if (project === undefined) {
        process.stdout.write(pc.dim('Not taken over: what ran before goes on running.\n\n'));
        return;
      }
      await session.reload(project, [...this.#notTaken]);
      this.#notTaken.clear();
      log.level = logLevel({ debug: project.config.debug, env: process.env });
      process.stdout.write(
        `  ${pc.green('reloaded')}  ${this.#named(files)}  ${pc.dim(`(${countLine(project)})`)}\n`,
      );
    } catch (error) {
      process.stdout.write(
        `\n${errorReport(error).text}\n${pc.dim('Not taken over: what ran before goes on running.')}\n\n`,
      );
    }
  }

  #named(files: readonly string[]): string {
    const names = files.map((file) => relative(this.dir, file)).sort();
    const more = names.length - MAX_NAMED;
    return `${names.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
  }
}
