import { z } from 'zod';
import { schemaProblems } from '../../src/config/schema-problems.js';
import { isPlainObject } from '../../src/definition/json.js';
import type { Problem, Site } from '../../src/definition/problem.js';
import type { Path } from '../../src/pipeline/problem-list.js';
import { readToml } from '../../engine/project/toml-file.js';
import { pathProblem } from '../project/output-path.js';

/** The file that makes a folder a plugin. */
export const PLUGIN_FILE = 'millrace-plugin.toml';

/** The file that makes a folder of a plugin a template. */
export const TEMPLATE_FILE = 'template.toml';

const text = z.string().min(1).max(1_000);

/** What plugins and templates are called, on command lines, too. */
const name = z
  .string()
  .max(100)
  .regex(/^[a-z][a-z0-9_-]*$/, 'write small letters, digits, "-" and "_", such as "step-handler"');

const folder = text.superRefine((value, context) => {
  const problem = pathProblem(value);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

/** Parameters are variables of templates, which have names such as `base_url`. */
const parameterName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,49}$/, 'write small letters, digits and "_", such as "base_url"');

/** The one shape of `millrace-plugin.toml`. */
export const pluginManifestSchema = z.strictObject({
  name,
  version: z.string().regex(/^\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/, 'write a version such as "1.0.0"'),
  description: text,
  /** What its templates are written in: `typescript`. */
  language: text,
  /** What they are for: `millrace`. */
  framework: text.exactOptional(),
  /** The folders of its templates, as seen from the plugin's. */
  templates: z.array(folder).min(1).max(100),
});

const parameter = z
  .strictObject({
    name: parameterName,
    description: text,
    required: z.boolean().default(false),
    default: z.string().max(1_000).exactOptional(),
  })
  .refine((it) => !it.required || it.default === undefined, {
    path: ['default'],
    message: 'a parameter that is required has no default: take one of the two out',
  });

const output = z.strictObject({
  /** A file of the template's folder. */
  template: folder,
  /** What the file is called that comes of it; may hold parameters. */
  filename: text,
  /** The folder of the project that it goes to; may hold parameters. The project's own unless set. */
  subdir: z.string().max(1_000).exactOptional(),
  /** A test, which `--skip-spec` leaves out. */
  spec: z.boolean().default(false),
});

/** The one shape of `template.toml`. */
export const templateManifestSchema = z.strictObject({
  name,
  description: text,
  parameters: z.array(parameter).max(50).default([]),
  outputs: z.array(output).min(1).max(50),
});

/** What `millrace-plugin.toml` says. */
export type PluginManifest = z.output<typeof pluginManifestSchema>;

/** What `template.toml` says. */
export type TemplateManifest = z.output<typeof templateManifestSchema>;

/** A value that a template asks for. */
export type TemplateParameter = TemplateManifest['parameters'][number];

/** A file that a template makes. */
export type TemplateOutput = TemplateManifest['outputs'][number];

/** A manifest that was read, with the way from what it says to where it says so. */
export interface ReadManifest<T> {
  readonly manifest?: T;
  readonly locate: (path: Path) => Site;
  readonly problems: readonly Problem[];
}

/**
 * Reads a manifest, and tells all that is wrong with it, with file and line.
 *
 * @param file - its path as messages show it
 */
export function readManifest<T>(file: string, toml: string, schema: z.ZodType<T>): ReadManifest<T> {
  const { toml: read, problems } = readToml(file, toml);
  if (read === undefined) return { locate: () => ({ file }), problems };
  const parsed = schema.safeParse(read.value);
  if (parsed.success) return { manifest: parsed.data, locate: read.locate, problems: [] };
  return {
    locate: read.locate,
    problems: schemaProblems(schema, parsed.error, read.value, 'key').map(
      ({ path, unknownName, message }): Problem =>
        !unknownName && isMissing(read.value, path)
          ? {
              site: { line: 1, ...read.locate(path.slice(0, -1)) },
              message: `the key "${String(path.at(-1))}" is missing.`,
            }
          : { site: read.locate(path), message },
    ),
  };
}

function isMissing(value: unknown, path: Path): boolean {
  const found = path.reduce<unknown>((part, name) => {
    if (Array.isArray(part)) return part[Number(name)] as unknown;
    return isPlainObject(part) ? part[name] : undefined;
  }, value);
  return path.length > 0 && found === undefined;
}
