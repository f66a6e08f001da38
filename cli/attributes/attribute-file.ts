import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { readYaml } from '../../engine/project/yaml-file.js';
import { attributeSettings } from '../../server/attributes/attribute-definitions.js';
import { pipelineSettings, writtenModule } from '../../server/attributes/pipelines.js';
import { DATA_TYPES } from '../../src/attribute-pipeline/attribute.js';
import { schemaProblems } from '../../src/config/schema-problems.js';
import { DefinitionError, type Problem } from '../../src/definition/problem.js';
import { UsageError } from '../exit-code.js';

const text = z.string().nullable();

const writtenFile = z.strictObject({
  entity_type: z.string(),
  label: text.exactOptional(),
  description: text.exactOptional(),
  attributes: z.array(
    z.strictObject({
      name: z.string(),
      data_type: z.enum(DATA_TYPES).exactOptional(),
      related_type: text.exactOptional(),
      ...attributeSettings,
      /** What computes it. */
      pipeline: z
        .strictObject({ ...pipelineSettings, modules: z.array(writtenModule) })
        .exactOptional(),
    }),
  ),
});

/** An entity type as a file has it: its attributes, and what computes them. */
export type AttributeFile = z.output<typeof writtenFile>;

/**
 * Reads a file of attributes.
 *
 * @throws {@link UsageError} where there is none, {@link DefinitionError} with all that is wrong with it, each with its place
 */
export async function readAttributeFile(file: string): Promise<AttributeFile> {
  const written = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  });
  const { yaml, problems } = readYaml(file, written);
  if (yaml === undefined) throw new DefinitionError(problems);
  const parsed = writtenFile.safeParse(yaml.value);
  if (parsed.success && problems.length === 0) return parsed.data;
  const found = parsed.success
    ? []
    : schemaProblems(writtenFile, parsed.error, yaml.value, 'key').map(
        ({ path, unknownName, message }): Problem => ({
          site: unknownName ? yaml.locateName(path) : yaml.locate(path),
          message,
        }),
      );
  throw new DefinitionError([...problems, ...found]);
}
