/** gRPC status codes by name (grpc/doc/statuscodes). */
const CODES: readonly string[] = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/** The number of a status by name or number; null = there is none such. */
export function grpcStatusOf(word: string): number | null {
  const number = /^\d+$/.test(word) ? Number(word) : CODES.indexOf(word.toUpperCase());
  return number >= 0 && number < CODES.length ? number : null;
}
