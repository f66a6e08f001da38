import ms from 'ms';
import { OPTION_VARIABLES } from '../../engine/project/config-variables.js';
import { CONFIG_OPTIONS, type ConfigOption } from '../../src/config/config-options.js';
import { AS_ANOTHER, OTHER_DEFAULTS, STAND_INS } from '../../src/config/option-defaults.js';
import { OPTION_TEXTS } from '../../src/config/option-texts.js';
import { optionType } from '../../src/config/option-type.js';
import { writtenName } from '../../src/config/written-form.js';

const HEAD = `# Configuration: every option

This page is what \`millrace config reference\` prints: it is made from the schema by which configurations are checked. [Configuration](configuration.md) tells how it all fits together.

In TOML an option is written with \`_\`, in the table of its group: \`server.bodyLimit\` is \`body_limit\` in \`[server]\`. Options of type *code* are set in \`millrace.config.ts\` alone. Durations are texts such as \`'30s'\`, or
numbers of milliseconds. A variable of the environment that an option has wins over what is written; with *or* it stands in where nothing is.
`;

/** Every option, by group, as a page in Markdown. */
export function configReference(): string {
  const groups = new Map<string, string[]>();
  for (const option of CONFIG_OPTIONS.values()) {
    const group = option.path.slice(0, -1).join('.');
    groups.set(group, [...(groups.get(group) ?? []), row(option)]);
  }
  // Options that are in no group come first, whatever stands between them.
  const ordered = [...groups].sort(([a], [b]) => Number(a !== '') - Number(b !== ''));
  return [HEAD, ...ordered.map(([group, rows]) => section(group, rows))].join('\n');
}

function section(group: string, rows: readonly string[]): string {
  const table = group.split('.').map(writtenName).join('.');
  const title = group === '' ? '## The project' : `## ${group}`;
  return [
    title,
    '',
    ...(group === '' ? [] : [`\`[${table}]\` in TOML.`, '']),
    '| option | takes | default | variable | effect |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function row(option: ConfigOption): string {
  const path = option.path.join('.');
  const wins = OPTION_VARIABLES[path];
  const standIn = STAND_INS[path];
  const variable =
    wins === undefined ? (standIn === undefined ? '' : `or \`${standIn}\``) : `\`${wins}\``;
  const cells = [
    `\`${path}\``,
    optionType(option),
    shownDefault(path, option),
    variable,
    OPTION_TEXTS[path] ?? '',
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function shownDefault(
  name: string,
  { path, defaultValue, isDuration, isCode }: ConfigOption,
): string {
  const other = AS_ANOTHER[name];
  if (other !== undefined) return `as \`${other}\``;
  const unwritten = OTHER_DEFAULTS[name];
  if (unwritten !== undefined) return `\`'${unwritten}'\``;
  if (defaultValue === undefined || isCode)
    return path.length === 2 && path[0] === 'worker' && !isCode ? "Temporal's" : 'none';
  if (isDuration && typeof defaultValue === 'number') return `\`'${ms(defaultValue)}'\``;
  if (typeof defaultValue === 'string') return `\`'${defaultValue}'\``;
  return `\`${JSON.stringify(defaultValue)}\``;
}
