import { InterceptingCall, Metadata, status, type Interceptor } from '@grpc/grpc-js';
import { defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';

/** What our connections to Temporal do with each call: they repeat it as Temporal's client does, and not once they are closed. */
export function callInterceptors(): Interceptor[] {
  return [makeGrpcRetryInterceptor(defaultGrpcRetryOptions()), endOnceClosed];
}

/**
 * Temporal's client repeats calls from timers, also when their callers have left. On a connection that was closed meanwhile such a
 * call throws, and nobody can catch it there: the process would end with it.
 */
function endOnceClosed(...[options, nextCall]: Parameters<Interceptor>): ReturnType<Interceptor> {
  try {
    return new InterceptingCall(nextCall(options));
  } catch (error) {
    return new InterceptingCall(endedCall(error instanceof Error ? error.message : String(error)));
  }
}

/** A call that is over as soon as it starts. */
function endedCall(details: string): ConstructorParameters<typeof InterceptingCall>[0] {
  const nothing = (): void => undefined;
  return {
    start: (_metadata, listener) => {
      // Temporal's client waits for a message before it looks at a status.
      listener?.onReceiveMessage?.(null);
      listener?.onReceiveStatus?.({ code: status.CANCELLED, details, metadata: new Metadata() });
    },
    sendMessage: nothing,
    sendMessageWithContext: nothing,
    startRead: nothing,
    halfClose: nothing,
    cancelWithStatus: nothing,
    getPeer: () => '',
    getAuthContext: () => null,
  };
}
