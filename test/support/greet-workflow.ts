/** A hand-written workflow as a project declares it. */
export const GREET_CONTRACT = `import { defineWorkflow } from 'millrace';
import { z } from 'zod';
export const greet = defineWorkflow({
  name: 'greet',
  input: z.object({ name: z.string() }),
  output: z.object({ greeting: z.string() }),
});
`;

/** The workflow's own file. */
export const GREET = `export async function greet({ name }: { name: string }): Promise<{ greeting: string }> {
  return { greeting: 'Hello ' + name };
}
`;
