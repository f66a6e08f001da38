import { averageLength, countWords, gradeOf } from '../steps.js';

/** The activities of the hand-written peer: nothing but the work. */
export const rawActivities = {
  countWords: async (text: string): Promise<number> => countWords(text),
  averageLength: async (text: string, words: number): Promise<number> => averageLength(text, words),
  grade: async (words: number, average: number): Promise<string> => gradeOf(words, average),
};
