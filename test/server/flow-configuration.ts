import { z } from 'zod';

/** What operators may change of the flows of these tests. */
export const CONFIGURATION = z.object({
  region: z.enum(['north', 'south']).default('north'),
  pages: z.number().int().min(1).default(10),
});
