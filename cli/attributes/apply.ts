import type { Command } from 'commander';
import pc from 'picocolors';
import type { Attributes, WrittenPipeline } from '../../engine/attribute-pipeline/attributes.js';
import { attributeSettingsOf } from '../../server/attributes/attribute-definitions.js';
import { pipelineSettingsOf } from '../../server/attributes/pipelines.js';
import { ATTRIBUTE_DEFAULTS, type Attribute } from '../../src/attribute-pipeline/attribute.js';
import { NotFound } from '../../src/attribute-pipeline/catalog-errors.js';
import type { Author } from '../../src/attribute-pipeline/entity-catalog.js';
import type { AttributePipeline } from '../../src/attribute-pipeline/pipeline.js';
import { canonicalJson } from '../../src/definition/json.js';
import { UsageError } from '../exit-code.js';
import { printJson } from '../flows/flow-json.js';
import { readAttributeFile, type AttributeFile } from './attribute-file.js';
import { withAttributes } from './open-attributes.js';

interface ApplyOptions {
  readonly dir?: string;
  readonly json: boolean;
}

const EXAMPLES = `
The file is YAML: an entity type, its attributes, and the pipelines that compute them. What is not there is added, what is other is changed,
and what the file does not name stays as it is: the same file may be applied as often as you like. A pipeline whose modules are others gets
a new version; nothing runs by itself.

Examples:
  $ millrace attributes apply attributes/airports.yml
`;

/** Adds `attributes apply`: attributes and pipelines from a file. */
export function addApplyCommand(attributes: Command): void {
  attributes
    .command('apply <file>')
    .summary('add attributes and pipelines from a file, or change them')
    .description('Brings an entity type, its attributes and their pipelines to what a file says.')
    .option('--json', 'print what was done as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, { dir, json }: ApplyOptions) => {
      const written = await readAttributeFile(file);
      const done = await withAttributes(dir, ({ attributes: all }) => apply(all, written));
      if (json) printJson(done);
      else process.stdout.write(done.map(line).join(''));
    });
}

/** What has become of a part of the file. */
interface Applied {
  readonly what: 'entity type' | 'attribute' | 'pipeline';
  readonly name: string;
  readonly done: 'added' | 'changed' | 'unchanged';
}

function line({ what, name, done }: Applied): string {
  const mark = done === 'unchanged' ? pc.dim('·') : pc.green('✓');
  return `  ${mark} ${name}  ${done === 'unchanged' ? pc.dim(done) : done}  ${pc.dim(what)}\n`;
}

/** All attributes come first: pipelines read those of each other. */
async function apply(attributes: Attributes, written: AttributeFile): Promise<readonly Applied[]> {
  const { entity_type: type } = written;
  const by = { principal: 'apply', now: new Date() };
  const done: Applied[] = [
    { what: 'entity type', name: type, done: await applyType(attributes, written, by) },
  ];
  const known = new Map(
    (await attributes.entities.attributes(type)).map((attribute) => [attribute.name, attribute]),
  );
  for (const one of written.attributes)
    done.push({
      what: 'attribute',
      name: `${type}.${one.name}`,
      done: await applyAttribute(attributes, type, one, known.get(one.name), by),
    });
  for (const { name, pipeline } of written.attributes) {
    if (pipeline === undefined) continue;
    const place = { entityType: type, attribute: name };
    const { modules, ...settings } = pipeline;
    done.push({
      what: 'pipeline',
      name: `${type}.${name}`,
      done: await applyPipeline(
        attributes,
        place,
        { ...pipelineSettingsOf(settings), modules },
        by,
      ),
    });
  }
  return done;
}

async function applyType(
  { entities }: Attributes,
  { entity_type: name, label, description }: AttributeFile,
  by: Author,
): Promise<Applied['done']> {
  const change = {
    ...(label !== undefined && { label }),
    ...(description !== undefined && { description }),
  };
  const known = await orNone(entities.entityType(name));
  if (known === undefined) {
    await entities.addEntityType({ label: null, description: null, ...change, name }, by);
    return 'added';
  }
  if (!differs({ ...known }, change)) return 'unchanged';
  await entities.changeEntityType(name, change, known.lockVersion, by);
  return 'changed';
}

/** @throws {@link UsageError} for what cannot be changed */
async function applyAttribute(
  { entities }: Attributes,
  type: string,
  { name, data_type, related_type, pipeline: _, ...rest }: AttributeFile['attributes'][number],
  known: Attribute | undefined,
  by: Author,
): Promise<Applied['done']> {
  const change = attributeSettingsOf(rest);
  const stays = {
    ...(data_type !== undefined && { dataType: data_type }),
    ...(related_type !== undefined && { relatedType: related_type }),
  };
  if (known === undefined) {
    await entities.addAttribute(type, { ...ATTRIBUTE_DEFAULTS, ...change, ...stays, name }, by);
    return 'added';
  }
  if (differs({ ...known }, stays))
    throw new UsageError(
      `${type}.${name} is there as ${known.dataType}, and the file has another data_type or related_type, which cannot be changed. Remove the attribute first, or give the new one another name.`,
    );
  if (!differs({ ...known }, change)) return 'unchanged';
  await entities.changeAttribute(type, name, change, known.lockVersion, by);
  return 'changed';
}

async function applyPipeline(
  attributes: Attributes,
  place: { readonly entityType: string; readonly attribute: string },
  written: WrittenPipeline,
  by: Author,
): Promise<Applied['done']> {
  const known = await orNone(attributes.pipelines.pipeline(place));
  if (known === undefined) {
    await attributes.addPipeline(place, written, by);
    return 'added';
  }
  const { modules, ...settings } = written;
  // Settings that the file leaves out have their defaults in the catalog: only a check knows them.
  const checked = await attributes.checkedModules(place, modules);
  const areSame = canonicalJson(checked) === canonicalJson(withoutIds(known));
  if (areSame && !differs({ ...known }, settings)) return 'unchanged';
  await attributes.changePipeline(
    place,
    { ...settings, ...(!areSame && { modules }) },
    known.lockVersion,
    by,
  );
  return 'changed';
}

function withoutIds({ modules }: AttributePipeline) {
  return modules.map(({ module, settings }) => ({ module, settings }));
}

/** Whether something would be other than it is. */
function differs(known: Readonly<Record<string, unknown>>, change: object): boolean {
  return Object.entries(change).some(
    ([name, value]) => canonicalJson(known[name] ?? null) !== canonicalJson(value ?? null),
  );
}

async function orNone<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}
