import { formatFraction } from './flows/flow-format.js';

/**
 * `████████░░░░░░ 58 % 5,800 read, 5,785 written`, with as many of the numbers as there is room for. Without a fraction there is
 * no bar.
 *
 * @param numbers - in the order in which they matter
 * @param room - in columns
 */
export function barText(
  fraction: number | undefined,
  numbers: readonly string[],
  room: number,
): string {
  const head =
    fraction === undefined
      ? ''
      : `${bar(fraction, barWidth(room))} ${formatFraction(fraction).padStart(4)} `;
  const shown: string[] = [];
  for (const number of numbers) {
    if (head.length + [...shown, number].join(', ').length > room) break;
    shown.push(number);
  }
  return `${head}${shown.join(', ')}`;
}

/** By the terminal alone: a bar that changes its width with the numbers beside it would jump. */
function barWidth(room: number): number {
  return room >= 75 ? 24 : room >= 55 ? 14 : 8;
}

function bar(fraction: number, width: number): string {
  const done = Math.min(width, Math.max(0, Math.floor(fraction * width)));
  return '█'.repeat(done) + '░'.repeat(width - done);
}
