import { z } from 'zod';
import { InvalidValues } from '../../../src/attribute-pipeline/catalog-errors.js';
import type { EntityCatalog, EntityInput } from '../../../src/attribute-pipeline/entity-catalog.js';
import { RowsRefused, type RefusedRow } from '../../../src/data-flow/refusal.js';
import type { Row, Written } from '../../../src/data-flow/row.js';
import { defineSink } from '../../../src/data-flow/sink.js';
import { attributesNamed } from './attribute-selection.js';
import { RowRefusal, RowsAsEntities } from './rows-as-entities.js';

const EntitiesSinkOptions = z.strictObject({
  entityType: z.string().min(1).describe('What the rows are. It has to be there.'),
  key: z.string().min(1).describe('The column that entities are found again by.'),
  label: z.string().min(1).optional().describe('The column with what people call them.'),
  removed: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The column that says that a row was removed: its entity is, unless it is empty, false or 0.',
    ),
  attributes: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Which columns are values; the others of a row are left out. All, unless given.'),
});

type Options = z.output<typeof EntitiesSinkOptions>;

/**
 * Saves rows as entities of the catalog, each batch in one transaction: those with a key that is there are changed, others added.
 * What pipelines read and has changed is computed anew.
 *
 * Ends with permanent errors of type `UnknownEntityType` and `UnknownAttribute`.
 */
export const entitiesSink = defineSink({
  name: 'entities',
  description: 'Saves rows as entities, whose attributes pipelines compute.',
  options: EntitiesSinkOptions,
  open: async ({ options, entities, flow }) => {
    const catalog = await entities();
    const attributes = await attributesNamed(catalog, options.entityType, options.attributes);
    const reading = new RowsAsEntities(catalog, attributes, options);
    return {
      write: async ({ rows }) => ({
        written: await save(catalog, await sorted(rows, reading), options, `flow ${flow}`),
      }),
    };
  },
});

/** What is to become of a batch. Of two rows with one key the later counts. */
interface SortedRows {
  readonly total: number;
  /** By their keys, with the place of the row. */
  readonly saved: ReadonlyMap<string, { readonly at: number; readonly input: EntityInput }>;
  readonly removed: readonly string[];
}

/** @throws {@link RowsRefused} with all that cannot be read */
async function sorted(rows: readonly Row[], reading: RowsAsEntities): Promise<SortedRows> {
  const refused: RefusedRow[] = [];
  const saved = new Map<string, { at: number; input: EntityInput }>();
  const removed = new Set<string>();
  const related = await reading.relatedIds(rows);
  for (const [at, row] of rows.entries()) {
    try {
      const { input, isRemoved } = reading.entity(row, related);
      const { key } = input;
      saved.delete(key);
      removed.delete(key);
      if (isRemoved) removed.add(key);
      else saved.set(key, { at, input });
    } catch (error) {
      if (!(error instanceof RowRefusal)) throw error;
      refused.push({ at, reason: error.message });
    }
  }
  if (refused.length > 0) throw new RowsRefused(refused);
  return { total: rows.length, saved, removed: [...removed] };
}

async function save(
  catalog: EntityCatalog,
  { total, saved, removed }: SortedRows,
  { entityType }: Options,
  principal: string,
): Promise<Written> {
  const rows = [...saved.values()];
  const by = { principal, now: new Date(), isImport: true };
  try {
    const results = await catalog.saveEntities(
      entityType,
      rows.map(({ input }) => input),
      by,
    );
    const gone = await catalog.removeEntities(entityType, removed);
    const added = results.filter(({ isNew }) => isNew).length;
    const changed = results.filter(({ isNew, changed: names }) => !isNew && names.length > 0);
    const updated = changed.length + gone;
    return { new: added, updated, redundant: total - added - updated, unpredictable: 0 };
  } catch (error) {
    if (!(error instanceof InvalidValues)) throw error;
    throw new RowsRefused(reasonsByRow(error, rows));
  }
}

/** Everything that is wrong with a row, as one reason. */
function reasonsByRow(
  { problems }: InvalidValues,
  rows: readonly { readonly at: number }[],
): readonly RefusedRow[] {
  const reasons = new Map<number, string[]>();
  for (const { index, message } of problems) {
    const at = rows[index]?.at ?? index;
    reasons.set(at, [...(reasons.get(at) ?? []), message]);
  }
  return [...reasons].map(([at, messages]) => ({ at, reason: messages.join(' ') }));
}
