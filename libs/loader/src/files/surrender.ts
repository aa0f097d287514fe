import { isNiobeError, type NiobeError } from '@niobe/kernel';
import type { Persistence } from '@niobe/aggregates';

/** Ends the persistence of a load where no repetition mends what is wrong, and remembers why. */
export class Surrender {
  readonly #persistence: Persistence;
  #reason: NiobeError | null = null;

  constructor(persistence: Persistence) {
    this.#persistence = persistence;
  }

  /** Looks at what was refused. Everything that is tried ends with `CLOSED` if it is of no use. */
  consider(refusal: NiobeError): void {
    if (refusal.retry !== 'never') return;
    this.#reason ??= refusal;
    this.#persistence.close();
  }

  /** What to tell in place of an error of the load: why it was closed, if that is it. */
  explain(error: unknown): unknown {
    return isNiobeError(error, 'CLOSED') ? (this.#reason ?? error) : error;
  }
}
