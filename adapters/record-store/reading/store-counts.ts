import type { RecordModels } from '../record-model.js';
import { EVERYTHING, selectCount } from '../select.js';
import { readFile } from './read-file.js';

/** How many records there are of each type. @throws {@link StoreUnusable}, {@link StoreReadTimeout} */
export async function storeCounts(
  file: string,
  models: RecordModels,
  signal: AbortSignal,
): Promise<Readonly<Record<string, number>>> {
  const all = [...models.values()];
  const statements = all.map((model) => ({
    ...selectCount(model, EVERYTHING),
    valueCharacters: 0,
    characters: 1,
  }));
  const results = await readFile({ file, statements }, signal);
  return Object.fromEntries(
    all.map(({ name }, at) => [name, Number(results[at]?.rows[0]?.[0] ?? 0)]),
  );
}
