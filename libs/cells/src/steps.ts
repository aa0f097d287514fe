import type { FieldDeclaration, FieldDeclarations, FieldType } from './types.ts';

/**
 * How a declaration came about, as steps: each field is one, and each widening of a field is one more. A body says with how many steps
 * it was written, and so what it holds and in which form.
 *
 * The order of steps is in the declaration: a widening says before how many steps it came (`was`), and the fields fill the other places
 * in their order.
 */

/** From this step on the field lies in this form. */
export interface Step {
  /** Place of the field in the declaration. */
  readonly index: number;
  readonly type: FieldType;
  readonly optional: boolean;
  /** True if the field had another form before. */
  readonly isWidening: boolean;
}

/** The steps of a valid declaration, first to last. O(fields + widenings). */
export function stepsOf(fields: FieldDeclarations): Step[] {
  const declared = Object.values(fields);
  const widenings = declared.reduce((count, { was = [] }) => count + was.length, 0);
  const steps: (Step | undefined)[] = Array.from({ length: declared.length + widenings }, () => undefined);
  for (const [index, field] of declared.entries()) {
    const forms = [...(field.was ?? []), field];
    for (const [before, { steps: at }] of (field.was ?? []).entries()) {
      const { type, optional = false } = forms[before + 1]!;
      steps[at] = { index, type, optional, isWidening: true };
    }
  }
  let free = 0;
  for (const [index, field] of declared.entries()) {
    while (steps[free] !== undefined) free += 1;
    const { type, optional = false } = field.was?.[0] ?? field;
    steps[free] = { index, type, optional, isWidening: false };
  }
  return steps as Step[];
}

/** True if the declaration `newer` reads what was written by the declaration `older`: it has the same steps, and more behind them. */
export function continues(newer: FieldDeclarations, older: FieldDeclarations): boolean {
  const names = Object.keys(newer);
  const steps = stepsOf(newer);
  return (
    Object.keys(older).every((name, index) => names[index] === name && continuesField(newer[name]!, older[name]!)) &&
    stepsOf(older).every((step, before) => isSameStep(step, steps[before]))
  );
}

function isSameStep(step: Step, other: Step | undefined): boolean {
  return step.index === other?.index && step.type === other.type && step.optional === other.optional;
}

function continuesField(newer: FieldDeclaration, older: FieldDeclaration): boolean {
  const hasValues = (older.values ?? []).every((value, code) => newer.values?.[code] === value);
  return hasValues && continues(newer.fields ?? {}, older.fields ?? {});
}
