import { camelCase, kebabCase, pascalCase, snakeCase } from 'change-case';

/** How templates write names; each is a filter: `{{ name | snake_case }}`. */
export const CASES = {
  /** `charge_card` */
  snake_case: snakeCase,
  /** `ChargeCard` */
  pascal_case: pascalCase,
  /** `chargeCard` */
  camel_case: camelCase,
  /** `charge-card` */
  kebab_case: kebabCase,
} as const satisfies Readonly<Record<string, (text: string) => string>>;
