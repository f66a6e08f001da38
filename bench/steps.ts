/** The work of scenarios b and c, the same in hand-written code and in Millrace: three steps that cost next to nothing. */

/** What every run is started with. */
export const INPUT = {
  text: 'It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness.',
} as const;

/** What scenarios b and c end with; a ends with its input. */
export const GRADE = 'short';

/** Number of words in a text. */
export function countWords(text: string): number {
  return text.split(/\s+/).length;
}

/** Average length of a text's words, in characters. */
export function averageLength(text: string, words: number): number {
  return (text.length - words + 1) / words;
}

/** `short` or `long`, as a text's words are. */
export function gradeOf(words: number, average: number): string {
  return average * words > 1_000 ? 'long' : GRADE;
}
