import type { Verdict } from '../verdict.ts';

/** Violations of a fixed set of rules: how many of each, and the first one. */
export class Findings<Rule extends string> {
  readonly #rules: Readonly<Record<Rule, string>>;
  readonly #found = new Map<Rule, { count: number; first: string }>();

  /** @param rules what must hold, by the rule's short name. */
  constructor(rules: Readonly<Record<Rule, string>>) {
    this.#rules = rules;
  }

  add(rule: Rule, what: string): void {
    const found = this.#found.get(rule);
    if (found === undefined) this.#found.set(rule, { count: 1, first: what });
    else found.count += 1;
  }

  /** How often a rule was broken. */
  count(rule: Rule): number {
    return this.#found.get(rule)?.count ?? 0;
  }

  /** One expectation a rule. */
  report(verdict: Verdict): void {
    for (const [rule, holds] of Object.entries<string>(this.#rules)) {
      const found = this.#found.get(rule as Rule);
      verdict.expect(found === undefined, holds, found === undefined ? '' : `${found.count} times; ${found.first}`);
    }
  }
}
