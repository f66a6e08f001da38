import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem, Site } from '../../src/definition/problem.js';
import type { Path } from '../../src/pipeline/problem-list.js';
import { shownPath } from '../../engine/project/site.js';
import { placeIn } from '../project/place.js';
import { parsedOutput, type ParsedOutput } from './parsed-output.js';
import {
  PLUGIN_FILE,
  pluginManifestSchema,
  readManifest,
  TEMPLATE_FILE,
  templateManifestSchema,
  type PluginManifest,
  type TemplateParameter,
} from './manifest.js';

/** Largest file of a plugin, in bytes. */
const MAX_BYTES = 1024 * 1024;

/** A template that can be generated from. */
export interface PluginTemplate {
  readonly name: string;
  readonly description: string;
  readonly parameters: readonly TemplateParameter[];
  readonly outputs: readonly ParsedOutput[];
  /** Of its manifest. */
  readonly site: Site;
}

/** A folder with templates. */
export interface Plugin extends Omit<PluginManifest, 'templates'> {
  /** Absolute. */
  readonly dir: string;
  readonly templates: readonly PluginTemplate[];
}

/** A plugin that was read. It is there only where nothing is wrong with it. */
export interface LoadedPlugin {
  readonly plugin?: Plugin;
  readonly problems: readonly Problem[];
}

/**
 * Reads a plugin with all its templates, and tells everything that is wrong with it, with file and line.
 *
 * @param dir - the plugin's folder
 * @param from - the folder that messages show paths from
 */
export function loadPlugin(dir: string, from: string): LoadedPlugin {
  const folder = realpathSync(dir);
  const reading = new Reading(folder, from);
  const plugin = reading.plugin();
  const { problems } = reading;
  const isRight = problems.every(({ severity }) => severity === 'warning');
  return { ...(isRight && plugin !== undefined && { plugin }), problems };
}

/** Whether a folder is a plugin. */
export function isPlugin(dir: string): boolean {
  return existsSync(join(dir, PLUGIN_FILE));
}

/** The files of one plugin, and what is wrong with them. */
class Reading {
  readonly problems: Problem[] = [];

  constructor(
    private readonly dir: string,
    private readonly from: string,
  ) {}

  plugin(): Plugin | undefined {
    const toml = this.#read(PLUGIN_FILE, { file: this.#shown(PLUGIN_FILE) });
    if (toml === undefined) return undefined;
    const read = readManifest(this.#shown(PLUGIN_FILE), toml, pluginManifestSchema);
    this.problems.push(...read.problems);
    if (read.manifest === undefined) return undefined;
    const { templates: folders, ...manifest } = read.manifest;
    const templates = folders.flatMap(
      (folder, at) => this.#template(folder, read.locate(['templates', at])) ?? [],
    );
    this.#takenNames(templates);
    return { ...manifest, dir: this.dir, templates };
  }

  #template(folder: string, named: Site): PluginTemplate | undefined {
    const path = `${folder}/${TEMPLATE_FILE}`;
    const toml = this.#read(path, named);
    if (toml === undefined) return undefined;
    const file = this.#shown(path);
    const { manifest, locate, problems } = readManifest(file, toml, templateManifestSchema);
    this.problems.push(...problems);
    if (manifest === undefined) return undefined;
    const { name, description, parameters, outputs: written } = manifest;
    this.#takenParameters(parameters, locate);
    const outputs = written.flatMap((output, at) => {
      const source = `${folder}/${output.template}`;
      const text = this.#read(source, locate(['outputs', at, 'template']));
      if (text === undefined) return [];
      const site = (key: string): Site => locate(['outputs', at, key]);
      const parsed = parsedOutput(output, { text, file: this.#shown(source), site, parameters });
      this.problems.push(...parsed.problems);
      return parsed.output ?? [];
    });
    return { name, description, parameters, outputs, site: { file, line: 1 } };
  }

  #takenNames(templates: readonly PluginTemplate[]): void {
    for (const [at, { name, site }] of templates.entries()) {
      const other = templates.slice(0, at).find((earlier) => earlier.name === name);
      if (other === undefined) continue;
      this.problems.push({
        site,
        message: `the template ${other.site.file} is called "${name}", too. Rename one of them.`,
      });
    }
  }

  #takenParameters(parameters: readonly TemplateParameter[], locate: (path: Path) => Site): void {
    for (const [at, { name }] of parameters.entries()) {
      const site = locate(['parameters', at, 'name']);
      if (parameters.findIndex((one) => one.name === name) < at)
        this.problems.push({ site, message: `there are two parameters "${name}".` });
      if (RESERVED.includes(name))
        this.problems.push({
          site,
          message: `"${name}" is what templates know of the project. Rename the parameter.`,
        });
    }
  }

  /** @param named - where the file is named */
  #read(path: string, named: Site): string | undefined {
    const place = placeIn(this.dir, path);
    const read = 'problem' in place ? place : textOf(place.file, path);
    if ('text' in read) return read.text;
    this.problems.push({ site: named, message: read.problem });
    return undefined;
  }

  #shown(path: string): string {
    return shownPath(join(this.dir, path), this.from);
  }
}

/** Names that are no parameters. */
const RESERVED: readonly string[] = ['project'];

/** A file of a plugin that cannot be read is told of, too: it breaks no other plugin. */
function textOf(
  file: string,
  path: string,
): { readonly text: string } | { readonly problem: string } {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) return { problem: `there is no file ${path} in the plugin.` };
  if (!found.isFile()) return { problem: `${path} is no file.` };
  if (found.size > MAX_BYTES)
    return {
      problem: `${path} has ${String(found.size)} bytes; the most is ${String(MAX_BYTES)}.`,
    };
  try {
    return { text: readFileSync(file, 'utf8') };
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return { problem: `${error.message}.` };
    throw error;
  }
}
