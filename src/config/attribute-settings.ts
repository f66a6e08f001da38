import { z } from 'zod';
import { isTimeZone } from '../definition/time-zone.js';

/** Entities, their attributes and the pipelines that compute them. */
export interface AttributeSettings {
  /** Serve their API under `/entity_types`, `/attributes`, `/entities`, `/attribute_pipelines` and `/attribute_runs`. Default: as `catchAllRoutes`. */
  readonly routes?: boolean;
  /** When all pipelines run each night, and their evals after them: a time of day, or `false`. Default: `02:00`. */
  readonly nightly?: string | false;
  /** Of `nightly`. Default: `UTC`. */
  readonly timeZone?: string;
}

/** A time of day. */
export interface TimeOfDay {
  readonly hour: number;
  readonly minute: number;
}

/** {@link AttributeSettings} with their defaults. */
export interface ProjectAttributeSettings {
  readonly routes: boolean;
  readonly nightly: TimeOfDay | false;
  readonly timeZone: string;
}

/** A time of day: `02:00`. */
const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'write a time of day such as "02:00", or false')
  .transform((text) => {
    const [hour = 0, minute = 0] = text.split(':').map(Number);
    return { hour, minute };
  });

const timeZone = z
  .string()
  .refine(isTimeZone, 'write the name of a time zone, such as "Europe/Berlin" or "UTC"');

/** What a configuration says of attributes. */
export const attributesSchema = z.strictObject({
  routes: z.boolean().exactOptional(),
  nightly: z.union([timeOfDay, z.literal(false)]).prefault('02:00'),
  timeZone: timeZone.default('UTC'),
});
