import { TestEnvironment } from 'jest-environment-node';

const ERRORS = { Error, TypeError, RangeError, SyntaxError };

/**
 * Jest gives each test file built-in constructors of its own, while Node's modules throw errors of
 * the outer ones: `error instanceof Error` would be false in a test where it is true in production.
 * Here it is true for both.
 */
// eslint-disable-next-line import-x/no-default-export -- jest loads the default export
export default class MillraceTestEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const [name, outer] of Object.entries(ERRORS)) {
      const inner = this.global[name];
      const isOrdinaryInstance = inner[Symbol.hasInstance];
      Object.defineProperty(inner, Symbol.hasInstance, {
        configurable: true,
        value(candidate) {
          // Subclasses inherit this method; for them, and only for them, `this` is another constructor.
          return (
            isOrdinaryInstance.call(this, candidate) ||
            (this === inner && candidate instanceof outer)
          );
        },
      });
    }
  }
}
