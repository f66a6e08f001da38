import type { AttributeCatalogs } from '../../src/attribute-pipeline/attribute-catalogs.js';
import { ATTRIBUTE_DEFAULTS } from '../../src/attribute-pipeline/attribute.js';

/** Whose attributes are computed. */
export const PRODUCT = 'product';

/** What is computed of them, from what, and how. */
export const AREA = {
  attribute: 'area',
  inputs: ['width', 'height'],
  code: 'return { value: $json.width * $json.height, confidence: 1 };',
} as const;

/** Entities that are saved at once. */
const AT_ONCE = 1_000;

/** Who does it. */
export function author(): { readonly principal: string; readonly now: Date } {
  return { principal: 'bench', now: new Date() };
}

/** Adds products with a width, a height and a name, whose area is to be computed. @returns their ids */
export async function addProducts(
  { entities }: Pick<AttributeCatalogs, 'entities'>,
  count: number,
): Promise<readonly string[]> {
  await entities.addEntityType({ name: PRODUCT, label: null, description: null }, author());
  for (const [name, dataType] of [
    ['name', 'text'],
    ['width', 'integer'],
    ['height', 'integer'],
  ] as const)
    await entities.addAttribute(PRODUCT, { ...ATTRIBUTE_DEFAULTS, name, dataType }, author());
  await entities.addAttribute(
    PRODUCT,
    { ...ATTRIBUTE_DEFAULTS, name: AREA.attribute, dataType: 'integer', editable: 'no' },
    author(),
  );
  const ids: string[] = [];
  for (let from = 0; from < count; from += AT_ONCE) {
    const inputs = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, at) => {
      const number = from + at;
      return {
        key: String(number),
        values: { name: `Product ${String(number)}`, width: number % 997, height: number % 89 },
      };
    });
    ids.push(...(await entities.saveEntities(PRODUCT, inputs, author())).map(({ id }) => id));
  }
  return ids;
}

/** Changes the width of one product of a hundred. @returns how many that are */
export async function changeSome(
  { entities }: Pick<AttributeCatalogs, 'entities'>,
  count: number,
): Promise<number> {
  const inputs = Array.from({ length: Math.ceil(count / 100) }, (_, at) => ({
    key: String(at * 100),
    values: { width: 1_000 + at },
  }));
  for (let from = 0; from < inputs.length; from += AT_ONCE)
    await entities.saveEntities(PRODUCT, inputs.slice(from, from + AT_ONCE), author());
  return inputs.length;
}
