/**
 * Programmer errors end the process: a wrong invariant in memory must not reach a log or a backup.
 * Nothing that comes from outside (request, frame, record, file, KV row) may reach an assertion; refuse it with a {@link NiobeError}.
 */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws {@link AssertionError} unless `condition` holds. Kept in production. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** For the `default` of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`);
}
