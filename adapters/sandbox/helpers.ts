/** What scripts have at hand beside JavaScript itself, as forms and docs tell it. */
export interface ScriptHelper {
  readonly name: string;
  readonly signature: string;
  readonly description: string;
  /** JavaScript of the function. */
  readonly code: string;
}

/** Missing numbers are left out. */
const NUMBERS = `const numbers = list.filter((one) => typeof one === 'number');`;

/** `$helpers`. Each is one expression that uses JavaScript alone. */
export const SCRIPT_HELPERS: readonly ScriptHelper[] = [
  {
    name: 'round',
    signature: 'round(number, digits = 0)',
    description: 'Rounds to so many digits behind the point.',
    code: `(number, digits = 0) => Number(Math.round(Number(number + 'e' + digits)) + 'e-' + digits)`,
  },
  {
    name: 'clamp',
    signature: 'clamp(number, least, most)',
    description: 'The number, or the limit that it is beyond.',
    code: `(number, least, most) => Math.min(most, Math.max(least, number))`,
  },
  {
    name: 'number',
    signature: 'number(text)',
    description: 'The number that a text says, such as "1,234.5"; null where it says none.',
    code: `(text) => { const plain = String(text ?? '').replace(/[,_\\s]/g, ''); return plain === '' || !Number.isFinite(Number(plain)) ? null : Number(plain); }`,
  },
  {
    name: 'sum',
    signature: 'sum(list)',
    description: 'The sum of the numbers of a list.',
    code: `(list) => { ${NUMBERS} return numbers.reduce((sum, one) => sum + one, 0); }`,
  },
  {
    name: 'average',
    signature: 'average(list)',
    description: 'Their mean; null where there are none.',
    code: `(list) => { ${NUMBERS} return numbers.length === 0 ? null : numbers.reduce((sum, one) => sum + one, 0) / numbers.length; }`,
  },
  {
    name: 'median',
    signature: 'median(list)',
    description: 'The one in the middle, or the mean of both; null where there are none.',
    code: `(list) => { ${NUMBERS} numbers.sort((one, other) => one - other); const half = numbers.length >> 1; return numbers.length === 0 ? null : numbers.length % 2 === 1 ? numbers[half] : (numbers[half - 1] + numbers[half]) / 2; }`,
  },
  {
    name: 'unique',
    signature: 'unique(list)',
    description: 'A list with each value once, in the order of their first places.',
    code: `(list) => [...new Set(list)]`,
  },
  {
    name: 'slug',
    signature: 'slug(text)',
    description: 'A text in small letters, digits and hyphens, as for a URL.',
    code: `(text) => String(text ?? '').normalize('NFKD').replace(/\\p{M}/gu, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '')`,
  },
  {
    name: 'days',
    signature: 'days(from, to)',
    description: 'Days between two dates in ISO 8601, with parts of days; null where one is none.',
    code: `(from, to) => { const days = (Date.parse(to) - Date.parse(from)) / 86400000; return Number.isNaN(days) ? null : days; }`,
  },
];

/** JavaScript of the object of all helpers. */
export function helpersCode(): string {
  return `{ ${SCRIPT_HELPERS.map(({ name, code }) => `${name}: ${code}`).join(', ')} }`;
}
