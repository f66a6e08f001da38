import type { Attributes } from '../../engine/attribute-pipeline/attributes.js';
import {
  AttributeRunActive,
  PipelineNameTaken,
} from '../../engine/attribute-pipeline/attribute-errors.js';
import { connectEngine, type ConnectedEngine } from '../../engine/create-engine.js';
import { AttributeCatalogError } from '../../src/attribute-pipeline/catalog-errors.js';
import type { PipelinePlace } from '../../src/attribute-pipeline/pipeline-catalog.js';
import { UsageError } from '../exit-code.js';
import { projectDir, requireProject } from '../project.js';

/** What a command about attributes works with. */
export interface OpenAttributes {
  readonly engine: ConnectedEngine;
  readonly attributes: Attributes;
}

/**
 * Loads the project, connects to its Temporal server and its catalog, does something with its attributes, and closes all of it.
 *
 * @throws {@link ProjectRefused}, {@link UsageError} with what the catalog has against it, and what connecting throws
 */
export async function withAttributes<T>(
  dir: string | undefined,
  work: (open: OpenAttributes) => Promise<T>,
): Promise<T> {
  const project = await requireProject(projectDir(dir));
  const engine = await connectEngine(project, process.env);
  try {
    return await work({ engine, attributes: await engine.attributes() });
  } catch (error) {
    const refused =
      error instanceof AttributeCatalogError ||
      error instanceof AttributeRunActive ||
      error instanceof PipelineNameTaken;
    throw refused ? new UsageError(error.message) : error;
  } finally {
    await engine.close();
  }
}

/** What `product.area` names. @throws {@link UsageError} */
export function placeOf(name: string): PipelinePlace {
  const [, entityType, attribute] = /^([a-z]\w*)\.([a-z]\w*)$/.exec(name) ?? [];
  if (entityType === undefined || attribute === undefined)
    throw new UsageError(
      `${JSON.stringify(name)} names no attribute. Names are like product.area: the entity type and the attribute.`,
    );
  return { entityType, attribute };
}
