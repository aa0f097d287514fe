import type { PathStep } from './body-code.ts';
import { DictTexts } from './dict-texts.ts';
import type { Field } from './field.ts';
import { eraOf, fixedAt, isNullAt, variableEnd, variableStart } from './layout.ts';
import { isNullItem, itemEnd, itemsStart, itemStart } from './list.ts';
import { numberAt } from './numbers.ts';
import { writeNumber } from './scalar.ts';
import { TYPE } from './type-table.ts';
import type { ValueRanges } from './value-ranges.ts';
import { u16At } from './words.ts';

/**
 * Finds the values that a path leads to, in bodies of any revision: goes from record to record, and through lists item by item, without
 * looking at what lies beside. O(depth) where no list is on the way, else O(depth + items).
 *
 * A value that the body does not hold in its present form is given as if it did: the default of a field that is younger than the body,
 * a number that was widened since, and of a dict the text.
 */
export class ValueWalk {
  readonly #steps: readonly PathStep[];
  readonly #texts: DictTexts | null;
  /** Where {@link #enter} found a field, and in which form. */
  #source: Uint8Array = NO_BYTES;
  #start = 0;
  #end = 0;
  #form: Field | null = null;

  /** @param steps at least one */
  constructor(steps: readonly PathStep[]) {
    this.#steps = steps;
    const { field } = steps.at(-1)!;
    this.#texts = field.type === TYPE.dict ? new DictTexts(field.values) : null;
  }

  /** Fills `ranges` with the values of a body; nulls are none. */
  collect(bytes: Uint8Array, at: number, length: number, ranges: ValueRanges): void {
    ranges.clear();
    this.#collectFrom(0, bytes, at, length, ranges);
  }

  /** True where the first list on the way, or without one the value, is null, or a record on the way to it. */
  isNull(bytes: Uint8Array, at: number, length: number): boolean {
    for (const step of this.#steps) {
      if (!this.#enter(step, bytes, at, length)) return true;
      if (step.field.array) return false;
      [bytes, at, length] = [this.#source, this.#start, this.#end - this.#start];
    }
    return false;
  }

  #collectFrom(depth: number, bytes: Uint8Array, at: number, length: number, ranges: ValueRanges): void {
    if (!this.#enter(this.#steps[depth]!, bytes, at, length)) return;
    const form = this.#form!;
    if (form.array) this.#addItems(depth, form, this.#source, this.#start, this.#end, ranges);
    else this.#add(depth, form, this.#source, this.#start, this.#end, ranges);
  }

  /** Finds a field of the body at `at`; false where it is null. */
  #enter({ layout, field }: PathStep, bytes: Uint8Array, at: number, length: number): boolean {
    const steps = bytes[at]!;
    const era = steps >= layout.from ? layout : eraOf(layout, steps);
    const form = era.fields[field.index];
    if (form === undefined || form.step > steps) return this.#enterGiven(field);
    if (isNullAt(form, bytes, at)) return false;
    this.#form = form;
    this.#source = bytes;
    this.#start = form.variable ? variableStart(era, form, bytes, at, length) : fixedAt(era, form, bytes, at);
    this.#end = form.variable ? variableEnd(era, form, bytes, at, length) : this.#start + form.fixedBytes;
    return true;
  }

  /** The default of a field that the body does not know. */
  #enterGiven(field: Field): boolean {
    if (field.given === null) return false;
    this.#form = field;
    this.#source = field.given;
    this.#start = 0;
    this.#end = field.given.length;
    return true;
  }

  #addItems(depth: number, form: Field, bytes: Uint8Array, start: number, end: number, ranges: ValueRanges): void {
    let index = 0;
    for (let at = itemsStart(form, bytes, start); at < end; index++) {
      const next = itemEnd(form, bytes, at);
      if (!isNullItem(form, bytes, start, index)) this.#add(depth, form, bytes, itemStart(form, at), next, ranges);
      at = next;
    }
  }

  /** Adds the value in `bytes[start, end)`, or what the path leads to in the record there. */
  #add(depth: number, form: Field, bytes: Uint8Array, start: number, end: number, ranges: ValueRanges): void {
    if (depth + 1 < this.#steps.length) {
      this.#collectFrom(depth + 1, bytes, start, end - start, ranges);
    } else if (this.#texts !== null) {
      const code = u16At(bytes, start);
      ranges.add(this.#texts.bytes, this.#texts.starts[code]!, this.#texts.starts[code + 1]!);
    } else if (form.type === this.#steps[depth]!.field.type) {
      ranges.add(bytes, start, end);
    } else {
      this.#addRenewed(form, this.#steps[depth]!.field, bytes, start, ranges);
    }
  }

  /** Adds a value of a form before a widening, as the present form has it. Every narrow value is a double exactly. */
  #addRenewed(form: Field, field: Field, bytes: Uint8Array, start: number, ranges: ValueRanges): void {
    ranges.addOwn(field.bytes);
    const last = ranges.count - 1;
    writeNumber(field, ranges.source(last), ranges.starts[last]!, numberAt(form.type, bytes, start));
  }
}

const NO_BYTES = new Uint8Array(0);
