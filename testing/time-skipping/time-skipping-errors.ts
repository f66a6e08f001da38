import type { FailedSource } from '../../engine/dev-server/dev-server-errors.js';

/** There is no time-skipping server, and none could be had. `tried` lists every source in the order in which it was asked. */
export class TimeSkippingServerUnavailable extends Error {
  override readonly name = 'TimeSkippingServerUnavailable';

  constructor(readonly tried: readonly FailedSource[]) {
    super(
      [
        'No time-skipping test server of Temporal can be started.',
        'Tried:',
        ...tried.map(({ source, reason }) => `  - ${source}: ${reason}`),
        'Choose one:',
        "  - let this machine reach the vendor's host once, or name the proxy that does in HTTPS_PROXY;",
        '  - install Java (11 or newer) and Maven: the server is then fetched once, as a Maven artifact;',
        '  - set MILLRACE_TIME_SKIPPING_SERVER to the address of one that runs (127.0.0.1:7233), to its executable, or to',
        "    the classpath of the Maven artifact io.temporal:temporal-test-server ('/opt/test-server/*', with `java` on the PATH);",
        "  - use server: 'dev', where time passes as it does everywhere.",
      ].join('\n'),
    );
  }
}
