import { NiobeError } from '@niobe/kernel';
import { fieldReader, type FieldReader, type FieldValue } from './field-reader.ts';
import type { Mapping } from './mapping.ts';
import { compileTimeFormat, type TimeReader } from './time-format.ts';

/**
 * Turns rows into events, in file order: counters of a mapping (`the n-th row of this invoice`) depend on every row before.
 */

/** What the mapper needs to know of a declared event type. */
export interface DeclaredEvent {
  readonly type: string;
  readonly fields: Readonly<Record<string, DeclaredField>>;
}

export interface DeclaredField {
  readonly type: string;
  readonly optional?: boolean | undefined;
  readonly array?: boolean | undefined;
}

/** An event as the collector takes it. */
export interface ReplayEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time?: string;
  readonly data: Readonly<Record<string, FieldValue>>;
}

/** A row that is no event, with the reason. */
export interface RefusedRow {
  readonly reason: string;
}

/** Distinct values one counter remembers; about 100 bytes each. */
const COUNTER_VALUES_MAX = 10_000_000;

type Row = readonly string[];
type Text = (row: Row) => string;

interface CompiledField {
  readonly name: string;
  readonly column: number;
  readonly read: FieldReader;
  readonly type: string;
  readonly optional: boolean;
}

export class RowMapper {
  readonly #columns: number;
  readonly #source: string;
  readonly #counters: RowCounter[];
  readonly #id: Text;
  readonly #type: Text;
  readonly #time: TimeColumn | null;
  readonly #fields: Map<string, CompiledField[]>;

  /** @param header names of the columns. `BAD_DECLARATION` lists all that does not fit the header or the event types. */
  constructor(mapping: Mapping, header: Row, events: readonly DeclaredEvent[]) {
    const compiler = new MappingCompiler(header);
    this.#columns = header.length;
    this.#source = mapping.source;
    this.#counters = Object.entries(mapping.counters).map(
      ([name, column]) => new RowCounter(name, compiler.column(column, `counters.${name}`)),
    );
    this.#id = compiler.template(mapping.id, this.#counters);
    this.#type = compiler.type(mapping.type);
    this.#time = mapping.time === undefined ? null : compiler.time(mapping.time);
    this.#fields = compiler.fields(mapping, events);
    compiler.finish();
  }

  /** Counts a row that is passed over because it was acknowledged before. */
  skip(row: Row): void {
    if (row.length === this.#columns) for (const counter of this.#counters) counter.count(row);
  }

  map(row: Row): ReplayEvent | RefusedRow {
    if (row.length !== this.#columns) return { reason: `${row.length} columns where the header has ${this.#columns}` };
    for (const counter of this.#counters) counter.count(row);
    const type = this.#type(row);
    const fields = this.#fields.get(type);
    if (fields === undefined) return { reason: 'no rule of the mapping gives it a type' };
    const data: Record<string, FieldValue> = {};
    for (const field of fields) {
      const text = row[field.column]!;
      if (text === '' && field.optional) continue;
      const value = field.read(text);
      if (value === null) return { reason: `${field.name}: ${shown(text)} is no ${field.type}` };
      data[field.name] = value;
    }
    return this.#withTime(row, { id: this.#id(row), source: this.#source, type, data });
  }

  #withTime(row: Row, event: ReplayEvent): ReplayEvent | RefusedRow {
    if (this.#time === null) return event;
    const time = this.#time.read(row);
    return time === null
      ? { reason: `time: ${shown(this.#time.text(row))} does not fit the format` }
      : { ...event, time };
  }
}

/** Whether a row became an event. */
export function isEvent(mapped: ReplayEvent | RefusedRow): mapped is ReplayEvent {
  return 'id' in mapped;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

/** The n-th row with this value, from 1. */
class RowCounter {
  readonly name: string;
  readonly #column: number;
  readonly #seen = new Map<string, number>();
  #present = 0;

  constructor(name: string, column: number) {
    this.name = name;
    this.#column = column;
  }

  count(row: Row): void {
    const value = row[this.#column]!;
    this.#present = (this.#seen.get(value) ?? 0) + 1;
    if (this.#present === 1 && this.#seen.size === COUNTER_VALUES_MAX) {
      throw new NiobeError('TOO_LARGE', `counter ${this.name} meets more than ${COUNTER_VALUES_MAX} different values`);
    }
    this.#seen.set(value, this.#present);
  }

  /** Of the row counted last. */
  get present(): number {
    return this.#present;
  }
}

/** Neighbouring rows often have the same time; the last one is remembered. */
class TimeColumn {
  readonly #column: number;
  readonly #reader: TimeReader;
  #text = '';
  #time: string | null = null;

  constructor(column: number, reader: TimeReader) {
    this.#column = column;
    this.#reader = reader;
  }

  text(row: Row): string {
    return row[this.#column]!;
  }

  read(row: Row): string | null {
    const text = this.text(row);
    if (text !== this.#text) {
      this.#text = text;
      this.#time = this.#reader(text);
    }
    return this.#time;
  }
}

/** Binds names of a mapping to the columns of one file, and collects what does not fit. */
class MappingCompiler {
  readonly #header: Row;
  readonly #problems: string[] = [];

  constructor(header: Row) {
    this.#header = header;
  }

  column(name: string, path: string): number {
    const index = this.#header.indexOf(name);
    if (index === -1) this.#problems.push(`${path}: no column ${name}; the file has ${this.#header.join(', ')}`);
    return index;
  }

  template(template: string, counters: readonly RowCounter[]): Text {
    const parts = template.split(/\{([^}]*)\}/).map((part, index): Text => {
      if (index % 2 === 0) return () => part;
      const counter = counters.find(({ name }) => name === part);
      if (counter !== undefined) return () => String(counter.present);
      const column = this.column(part, 'id');
      return (row) => row[column]!;
    });
    return (row) => parts.reduce((text, part) => text + part(row), '');
  }

  type(type: Mapping['type']): Text {
    if (typeof type === 'string') return () => type;
    const rules = type.map((rule, index) => {
      const column = 'column' in rule ? this.column(rule.column, `type.${index}.column`) : -1;
      return (row: Row): string | null => {
        if ('startsWith' in rule) return row[column]!.startsWith(rule.startsWith) ? rule.type : null;
        if ('equals' in rule) return row[column] === rule.equals ? rule.type : null;
        return rule.type;
      };
    });
    return (row) => {
      for (const rule of rules) {
        const found = rule(row);
        if (found !== null) return found;
      }
      return '';
    };
  }

  time(time: NonNullable<Mapping['time']>): TimeColumn {
    return new TimeColumn(this.column(time.column, 'time.column'), compileTimeFormat(time.format));
  }

  /** For each type that the mapping can give: its fields among those of `data`. */
  fields(mapping: Mapping, events: readonly DeclaredEvent[]): Map<string, CompiledField[]> {
    const columns = Object.entries(mapping.data).map(
      ([name, column]) => [name, this.column(column, `data.${name}`)] as const,
    );
    const types = typeof mapping.type === 'string' ? [mapping.type] : mapping.type.map((rule) => rule.type);
    const compiled = new Map<string, CompiledField[]>();
    for (const type of new Set(types)) {
      const declared = events.find((event) => event.type === type);
      if (declared === undefined) this.#problems.push(`type: the deployment declares no event type ${type}`);
      else compiled.set(type, this.#fieldsOf(declared, columns));
    }
    this.#refuseUnused(mapping, compiled);
    return compiled;
  }

  #fieldsOf(declared: DeclaredEvent, columns: readonly (readonly [string, number])[]): CompiledField[] {
    const given = new Map(columns);
    for (const [name, field] of Object.entries(declared.fields)) {
      if (!given.has(name) && field.optional !== true)
        this.#problems.push(`data.${name}: missing; ${declared.type} requires it`);
      if (given.has(name) && field.array === true)
        this.#problems.push(`data.${name}: an array of ${declared.type} cannot come from one column`);
    }
    return columns.flatMap(([name, column]) => {
      const field = declared.fields[name];
      if (field === undefined) return [];
      return [{ name, column, read: fieldReader(field.type), type: field.type, optional: field.optional === true }];
    });
  }

  #refuseUnused(mapping: Mapping, compiled: ReadonlyMap<string, readonly CompiledField[]>): void {
    const used = new Set([...compiled.values()].flatMap((fields) => fields.map((field) => field.name)));
    for (const name of Object.keys(mapping.data)) {
      if (compiled.size > 0 && !used.has(name))
        this.#problems.push(`data.${name}: no event type of the mapping has it`);
    }
  }

  finish(): void {
    if (this.#problems.length === 0) return;
    const problems = this.#problems;
    throw new NiobeError('BAD_DECLARATION', `the mapping does not fit:\n  ${problems.join('\n  ')}`, { problems });
  }
}
