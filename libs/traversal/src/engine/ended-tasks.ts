import { NiobeError } from '@niobe/kernel';
import { ENDED_REMEMBERED } from '../limits.ts';

/** Searches that ended here and why, so that who asks late learns it and a START that comes late begins nothing. The oldest are forgotten. */
export class EndedTasks {
  readonly #errors = new Map<number, NiobeError>();

  /** @param error what ended the task; null where the coordinator did. */
  add(task: number, error: NiobeError | null): void {
    if (this.#errors.has(task)) return;
    this.#errors.set(task, error ?? new NiobeError('SEARCH_LOST', 'the search was ended'));
    const [oldest] = this.#errors.keys();
    if (this.#errors.size > ENDED_REMEMBERED) this.#errors.delete(oldest!);
  }

  has(task: number): boolean {
    return this.#errors.has(task);
  }

  /** Why there is no such task. */
  reason(task: number): NiobeError {
    return (
      this.#errors.get(task) ?? new NiobeError('SEARCH_LOST', 'the search is not known here; was this shard restarted?')
    );
  }
}
