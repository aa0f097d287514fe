import { messageOf } from '@niobe/kernel';

/** Collects what a check found; every line is printed as it comes, the last one counts. */
export class Verdict {
  #passed = 0;
  #failed = 0;

  get failed(): number {
    return this.#failed;
  }

  /** Records one expectation. */
  expect(holds: boolean, what: string, detail: string = ''): boolean {
    if (holds) this.#passed += 1;
    else this.#failed += 1;
    console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}${detail === '' ? '' : ` (${detail})`}`);
    return holds;
  }

  /** Records whether `work` ended without an error. */
  async attempt(what: string, work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return this.expect(true, what);
    } catch (error) {
      return this.expect(false, what, messageOf(error));
    }
  }

  /** A line that is no expectation: a figure, a step. */
  note(text: string): void {
    console.log(`     ${text}`);
  }

  /** Prints the closing line and gives the exit code. */
  close(): number {
    console.log(`${this.#passed} passed, ${this.#failed} failed`);
    return this.#failed === 0 && this.#passed > 0 ? 0 : 1;
  }
}
