import { describe, expect, it } from '@jest/globals';
import { DevServerStartFailed } from '../../../engine/dev-server/dev-server-errors.js';

const STACK = '\n\t/root/go/pkg/mod/go.uber.org/dig@v1.18.1/param.go:640 +0x12b'.repeat(200);

function failed(log: string): DevServerStartFailed {
  return new DevServerStartFailed('/bin/temporal', 'its process ended (exit code 2)', log);
}

describe('a dev server that did not start', () => {
  it('tells why it has crashed, however long the stack is', () => {
    const error = failed(
      `time=1 level=WARN msg="one"\npanic: listen tcp 127.0.0.1:37777: bind: no luck\n\ngoroutine 1 [running]:${STACK}`,
    );
    expect(error.message).toContain('panic: listen tcp 127.0.0.1:37777: bind: no luck');
    expect(error.message.length).toBeLessThan(4_500);
    expect(error.mayPass).toBe(true);
  });

  it('is worth another attempt when a port was taken meanwhile, wherever it says so', () => {
    const error = failed(`error: listen tcp: address already in use${STACK}`);
    expect(error.mayPass).toBe(true);
    expect(error.logTail).toHaveLength(4_000);
  });

  it('is not where it says what is wrong with what it was given', () => {
    const error = failed('error: file is not a database (26)');
    expect(error).toMatchObject({ mayPass: false, logTail: 'error: file is not a database (26)' });
    expect(failed('').message).toMatch(/It wrote nothing\.$/);
  });
});
