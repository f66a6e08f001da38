import { isPlainObject, ownMember, type Json, type JsonObject } from '../definition/json.js';

/** `{{ configuration.path }}`: a property of the flow's configuration, in options that YAML writes. */
const PLACE = /\{\{\s*configuration\.([\w.-]+)\s*\}\}/g;

/** The properties of the configuration that options refer to. */
export function configurationPlaces(options: Json): readonly string[] {
  if (typeof options === 'string')
    return [...options.matchAll(PLACE)].map(([, path]) => path ?? '');
  if (Array.isArray(options)) return options.flatMap((item: Json) => configurationPlaces(item));
  return isPlainObject(options)
    ? Object.values(options as JsonObject).flatMap((item) => configurationPlaces(item))
    : [];
}

/**
 * Options with what the configuration has in the places that refer to it. A text that is nothing but one reference becomes
 * the value itself, whatever its type.
 */
export function withConfiguration(options: Json, configuration: JsonObject): Json {
  if (typeof options === 'string') {
    const [whole] = options.matchAll(PLACE);
    if (whole !== undefined && whole[0] === options.trim())
      return memberAt(configuration, whole[1] ?? '') ?? null;
    return options.replace(PLACE, (_text, path: string) => {
      const value = memberAt(configuration, path);
      return typeof value === 'string' ? value : JSON.stringify(value ?? '');
    });
  }
  if (Array.isArray(options))
    return options.map((item: Json) => withConfiguration(item, configuration));
  if (!isPlainObject(options)) return options;
  return Object.fromEntries(
    Object.entries(options as JsonObject).map(([name, item]) => [
      name,
      withConfiguration(item, configuration),
    ]),
  );
}

function memberAt(configuration: JsonObject, path: string): Json | undefined {
  return path
    .split('.')
    .reduce<Json | undefined>(
      (value, name) => (isPlainObject(value) ? ownMember(value as JsonObject, name) : undefined),
      configuration,
    );
}
