import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { expect, it } from '@jest/globals';
import { callInterceptors } from '../../engine/call-interceptors.js';
import { findFreePort } from '../../engine/dev-server/free-port.js';
import { GRPC, grpcCode } from '../../engine/grpc-code.js';

it('ends a call that would be repeated on a connection that is closed', async () => {
  const port = await findFreePort('127.0.0.1', 0);
  const connection = Connection.lazy({
    address: `127.0.0.1:${String(port)}`,
    interceptors: callInterceptors(),
  });
  // Nobody answers: it is tried again, and waits for that now and then.
  const error = connection.workflowService.getSystemInfo({}).catch((thrown: unknown) => thrown);
  await delay(300);
  await connection.close();
  expect(grpcCode(await error)).toBe(GRPC.cancelled);
});
