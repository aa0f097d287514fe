/** Exit codes of every service, after BSD `sysexits.h`, so that a supervisor can tell a typing error from an outage. */
export const EXIT = {
  ok: 0,
  /** Something outside is missing or taken: a port, a broker. Starting again later may help. */
  unavailable: 69,
  /** A programmer error. Starting again recovers from the backups. */
  software: 70,
  /** Configuration or declarations are not usable. Starting again does not help. */
  configuration: 78,
} as const;

/** Exit code of a process that a signal ended at once: 128 + its number, as shells have it. */
export const EXIT_BY_SIGNAL: Readonly<Record<'SIGINT' | 'SIGTERM', number>> = { SIGINT: 130, SIGTERM: 143 };
