/** The gRPC status codes that we tell apart: https://grpc.io/docs/guides/status-codes */
export const GRPC = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** The gRPC status of an error of Temporal's client, or undefined where it has none. */
export function grpcCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  // Native connections throw it as it is, the others as the cause of an error of their own.
  return 'code' in error && typeof error.code === 'number' ? error.code : grpcCode(error.cause);
}
