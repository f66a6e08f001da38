import type { TransformConnector } from '../transform.js';
import { columns } from './columns.js';

/** The transforms of the product. */
export const BUILT_IN_TRANSFORMS: readonly TransformConnector[] = [columns];
