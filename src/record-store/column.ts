import { z } from 'zod';

/** How a column's values are kept in SQLite. */
export type ColumnKind = 'text' | 'integer' | 'bigint' | 'real' | 'boolean' | 'date' | 'json';

/** The columns of a record: what each may be, as zod says it. Their types are those of the record's properties. */
export type Columns = Readonly<Record<string, z.ZodType>>;

/** What a record holds. */
export type Values<C extends Columns> = { readonly [K in keyof C]: z.output<C[K]> };

/** What a record is created with: columns that have a default or may be missing need not be given. */
export type NewValues<C extends Columns> = z.input<z.ZodObject<{ -readonly [K in keyof C]: C[K] }>>;

/** A value as SQLite has it. Dates are ISO 8601 texts, truth is 0 or 1, and whatever SQLite does not know is JSON. */
export type StoredValue = string | number | bigint | null;

/** A column of a table, as a schema amounts to. */
export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
  /** NULL may be kept in it. */
  readonly nullable: boolean;
  /** A record shows NULL as null; otherwise as undefined. */
  readonly showsNull: boolean;
  readonly type: z.ZodType;
}

/** Finds out how the values of a schema are kept. */
export function columnOf(name: string, type: z.ZodType): Column {
  const unset = type.safeParse(undefined);
  return {
    name,
    kind: kindOf(type),
    showsNull: type.safeParse(null).success,
    nullable: type.safeParse(null).success || (unset.success && unset.data === undefined),
    type,
  };
}

/** Schemas of zod that wrap another one, whose values they have. */
const WRAPPERS = new Set([
  'optional',
  'nullable',
  'default',
  'prefault',
  'catch',
  'readonly',
  'nonoptional',
]);

/** Deepest nesting of wrappers that is looked into. */
const MAX_DEPTH = 20;

function kindOf(type: z.ZodType): ColumnKind {
  let inner = type;
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const next = innerOf(inner);
    if (next === undefined) break;
    inner = next;
  }
  if (inner instanceof z.ZodNumber) return isWhole(inner) ? 'integer' : 'real';
  if (inner instanceof z.ZodLiteral || inner instanceof z.ZodEnum) return kindOfAll(inner);
  switch (inner.def.type) {
    case 'string':
    case 'template_literal':
      return 'text';
    case 'boolean':
      return 'boolean';
    case 'bigint':
      return 'bigint';
    case 'date':
      return 'date';
    default:
      return 'json';
  }
}

function innerOf(type: z.ZodType): z.ZodType | undefined {
  const { def } = type as {
    readonly def: {
      readonly innerType?: z.ZodType;
      readonly out?: z.ZodType;
      readonly type: string;
    };
  };
  // What is kept is what comes out.
  if (def.type === 'pipe') return def.out;
  return WRAPPERS.has(def.type) ? def.innerType : undefined;
}

function isWhole(type: z.ZodNumber): boolean {
  return type.format === 'safeint' || type.format === 'int32' || type.format === 'uint32';
}

/** Alternatives are kept as what they all are. */
function kindOfAll(type: z.ZodLiteral | z.ZodEnum): ColumnKind {
  const values: readonly unknown[] = type instanceof z.ZodLiteral ? [...type.values] : type.options;
  if (values.every((value) => typeof value === 'string')) return 'text';
  if (values.every((value) => Number.isSafeInteger(value))) return 'integer';
  if (values.every((value) => typeof value === 'boolean')) return 'boolean';
  return 'json';
}

/** A value of a column as SQLite keeps it. Undefined is kept as NULL. */
export function storedValue({ kind }: Column, value: unknown): StoredValue {
  if (value === undefined || value === null) return null;
  switch (kind) {
    case 'boolean':
      return value === true ? 1 : 0;
    case 'date':
      return (value as Date).toISOString();
    case 'json':
      return JSON.stringify(value);
    case 'bigint':
      return value as bigint;
    default:
      return value as string | number;
  }
}

/** What a record shows of what SQLite has. NULL is null where the schema takes that, otherwise undefined. */
export function shownValue(column: Column, stored: StoredValue): unknown {
  if (stored === null) return column.showsNull ? null : undefined;
  switch (column.kind) {
    case 'boolean':
      return stored !== 0;
    case 'date':
      return new Date(stored as string);
    case 'json':
      return JSON.parse(stored as string) as unknown;
    case 'bigint':
      return BigInt(stored);
    default:
      return stored;
  }
}
