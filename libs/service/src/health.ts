/** Whether a service can do its job now, and why not. */
export interface Readiness {
  readonly ready: boolean;
  /** One line for people: what is missing, or what a ready service does without. Empty when there is nothing to say. */
  readonly reason: string;
}

/**
 * What the probes say. A process is starting, then serving, then draining; only a serving one may be ready, and then the service
 * itself decides.
 */
export class Health {
  #phase: 'starting' | 'serving' | 'draining' = 'starting';
  #progress = 'starting';
  #ask: () => Readiness = () => ({ ready: true, reason: '' });

  /** What start-up is waiting for or doing; shown by `/startupz` and `/readyz` until {@link serving}. */
  starting(progress: string): void {
    this.#progress = progress;
  }

  /** Start-up is over; from now on `ask` decides. */
  serving(ask: () => Readiness): void {
    if (this.#phase === 'starting') this.#phase = 'serving';
    this.#ask = ask;
  }

  /** Not ready for good. */
  draining(): void {
    this.#phase = 'draining';
  }

  /** Answer of `/startupz`. */
  startup(): Readiness {
    return this.#phase === 'starting' ? { ready: false, reason: this.#progress } : { ready: true, reason: '' };
  }

  /** Answer of `/readyz`. */
  readiness(): Readiness {
    if (this.#phase === 'starting') return { ready: false, reason: this.#progress };
    if (this.#phase === 'draining') return { ready: false, reason: 'draining: this process is about to end' };
    return this.#ask();
  }
}
