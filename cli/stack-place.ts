/** Of a stack, the first place that is in somebody's own files: `flows/orders.ts:12:5`. */
export function ownPlaceInStack(stack: string): string | undefined {
  const own = framesOf(stack).find((frame) => !/node_modules|node:|\/dist\//.test(frame));
  return own === undefined ? undefined : placeOf(own);
}

/** Of a stack, the first place in somebody's own files, else the first one. */
export function placeInStack(stack: string): string | undefined {
  const [first] = framesOf(stack);
  return ownPlaceInStack(stack) ?? (first === undefined ? undefined : placeOf(first));
}

function framesOf(stack: string): readonly string[] {
  return stack.split('\n').filter((frame) => /^\s+at /.test(frame));
}

function placeOf(frame: string): string | undefined {
  return /\(?((?:file:\/\/)?[^\s()]+:\d+:\d+)\)?$/.exec(frame)?.[1]?.replace('file://', '');
}
