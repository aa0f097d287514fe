/**
 * Runs what a NATS callback does. The client library swallows what a callback throws and then reads no further; a throw here is a
 * programmer error and is to end the process instead.
 */
export function unswallowed(run: () => void): void {
  try {
    run();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
