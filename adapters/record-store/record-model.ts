import { z } from 'zod';
import { columnOf, type Column, type Columns } from '../../src/record-store/column.js';
import { addedColumns, type Migrations } from '../../src/record-store/migration.js';
import type { Links, RecordType } from '../../src/record-store/record.js';
import type { RecordTypes } from '../../src/record-store/store.js';
import { DefinitionError, type Problem } from '../../src/definition/problem.js';

/** A record type as the store works with it. */
export interface RecordModel {
  readonly name: string;
  readonly table: string;
  /** Beside `id`, in the order in which rows have them from position 1. */
  readonly columns: readonly Column[];
  /** Where a column is in a row; `id` is at 0. */
  readonly position: ReadonlyMap<string, number>;
  /** What a new record has to be. */
  readonly type: z.ZodObject;
  readonly validates: RecordType['validates'];
  readonly methods: Readonly<Record<string, unknown>>;
  readonly hasMany: Links;
  readonly belongsTo: Links;
  /** Columns that a migration adds. */
  readonly added: ReadonlySet<string>;
}

/** The record types of a store by their names. */
export type RecordModels = ReadonlyMap<string, RecordModel>;

/** Names that can be written in SQL and in TypeScript without ado. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** What a record has already. */
const OF_EVERY_RECORD = new Set(['id', 'update', 'delete', 'toJSON', 'constructor']);

/**
 * Makes models of the record types of a store.
 *
 * @throws {@link DefinitionError} with everything that is wrong with them
 */
export function modelsOf(records: RecordTypes, migrations: Migrations): RecordModels {
  const types = Object.entries(records as Readonly<Record<string, RecordType>>);
  const problems = [
    ...types.flatMap(([name, type]) => typeProblems(name, type, records)),
    ...sharedTables(types),
    ...migrationProblems(migrations, records),
  ];
  if (problems.length > 0) throw new DefinitionError(problems);
  return new Map(types.map(([name, type]) => [name, modelOf(name, type, migrations)]));
}

function modelOf(name: string, type: RecordType, migrations: Migrations): RecordModel {
  const columns = Object.entries(type.columns).map(([column, of]) => columnOf(column, of));
  return {
    name,
    table: type.table,
    columns,
    position: new Map(['id', ...Object.keys(type.columns)].map((column, at) => [column, at])),
    type: z.strictObject({ ...type.columns }),
    validates: type.validates,
    methods: type.methods as Readonly<Record<string, unknown>>,
    hasMany: type.hasMany,
    belongsTo: type.belongsTo,
    added: addedColumns(migrations, name),
  };
}

function typeProblems(name: string, type: RecordType, records: RecordTypes): readonly Problem[] {
  const sentences: string[] = [];
  if (!isFreeName(type.table))
    sentences.push(
      `its table is called ${JSON.stringify(type.table)}. A table's name has letters, digits and "_", and does not begin with "sqlite_" or "millrace_".`,
    );
  const members = [
    ...Object.keys(type.columns),
    ...Object.keys(type.methods),
    ...Object.keys(type.hasMany),
    ...Object.keys(type.belongsTo),
  ];
  for (const [at, member] of members.entries()) {
    if (!NAME.test(member))
      sentences.push(
        `${JSON.stringify(member)} is no name for a column, a method or a link: use letters, digits and "_".`,
      );
    else if (OF_EVERY_RECORD.has(member))
      sentences.push(`${member} is what every record has; name it otherwise.`);
    else if (members.indexOf(member) !== at)
      sentences.push(
        `${member} is there twice; columns, methods and links of a record have names of their own.`,
      );
  }
  sentences.push(...linkProblems(type.hasMany, records, (other) => (other as RecordType).columns));
  sentences.push(...linkProblems(type.belongsTo, records, () => type.columns));
  return sentences.map((sentence) => ({
    ...(type.site !== undefined && { site: type.site }),
    definition: name,
    message: `record "${name}": ${sentence}`,
  }));
}

function linkProblems(
  links: Links,
  records: RecordTypes,
  columnsOf: (other: RecordTypes[string]) => Columns,
): readonly string[] {
  return Object.entries(links).flatMap(([property, { record, foreignKey }]) => {
    const other = Object.hasOwn(records, record) ? records[record] : undefined;
    if (other === undefined)
      return [
        `${property} leads to "${record}", which the store has not. It has: ${Object.keys(records).join(', ')}.`,
      ];
    if (Object.hasOwn(columnsOf(other), foreignKey)) return [];
    return [
      `${property} has the foreign key ${foreignKey}, which is no column of the table that should have it.`,
    ];
  });
}

function sharedTables(types: readonly (readonly [string, RecordType])[]): readonly Problem[] {
  return types.flatMap(([name, { table }], at) => {
    const first = types.findIndex((other) => other[1].table.toLowerCase() === table.toLowerCase());
    if (first === at) return [];
    return [
      {
        definition: name,
        message: `record "${name}": its table ${table} is that of "${types[first]?.[0] ?? ''}" already.`,
      },
    ];
  });
}

function migrationProblems(migrations: Migrations, records: RecordTypes): readonly Problem[] {
  const seen = new Set<string>();
  return Object.entries(migrations).flatMap(([migration, change]) => {
    if (!('addColumns' in change)) return [];
    return Object.entries(change.addColumns).flatMap(([name, columns]) =>
      columns.flatMap((column) => {
        const isAgain = seen.has(`${name}.${column}`);
        seen.add(`${name}.${column}`);
        const wrong = isAgain
          ? `${name}.${column} is added by an earlier migration already`
          : addedProblem(name, column, records);
        return wrong === undefined ? [] : [{ message: `migration "${migration}": ${wrong}.` }];
      }),
    );
  });
}

/** What is wrong with a column that a migration adds. */
function addedProblem(name: string, column: string, records: RecordTypes): string | undefined {
  const type = Object.hasOwn(records, name) ? (records[name] as RecordType) : undefined;
  if (type === undefined) return `there is no record "${name}"`;
  const of = Object.hasOwn(type.columns, column) ? type.columns[column] : undefined;
  if (of === undefined)
    return `record "${name}" has no column ${column}: write it into its columns, too`;
  if (columnOf(column, of).nullable || of.safeParse(undefined).success) return undefined;
  return `${name}.${column} would be empty in the records that there are. Give it a default, such as .default(…), or have it take null: .nullable()`;
}

function isFreeName(table: string): boolean {
  return NAME.test(table) && !/^(?:sqlite|millrace)_/i.test(table);
}
