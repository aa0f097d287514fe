import { compileSchema, SchemaTable, type CellRecord, type Predicate } from '@niobe/cells';
import { ByteWriter, seededRandom, systemClock, type Random } from '@niobe/kernel';
import { Arena, noEvents, PartitionStore } from '@niobe/store';
import { CELLS_PER_COMMIT, SCHEMA_ID } from './loaded-store.ts';
import { AGES, PERSON, personOf } from './twelve-fields.ts';

/** Records of twelve fields that are filtered by one of them, without an index: as cells, and as objects. */
export interface FilteredRecords {
  add(count: number): void;
  /** How many match: about one in ten. */
  filter(): number;
}

const OLDER_THAN = (AGES * 9) / 10 - 1;
const RECORD_BYTES_MAX = 256;
const SLACK_BYTES: number = 64 * 1024 * 1024;
const SEED = 42;

type Person = CellRecord & { readonly age: number };

/** An array of objects, made from JSON as an application gets them. */
export class FilteredObjects implements FilteredRecords {
  readonly #people: Person[] = [];
  readonly #random: Random = seededRandom(SEED);

  add(count: number): void {
    for (let i = 0; i < count; i++)
      this.#people.push(JSON.parse(JSON.stringify(personOf(this.#people.length, this.#random))) as Person);
  }

  filter(): number {
    return this.#people.filter((person) => person.age > OLDER_THAN).length;
  }
}

/** A partition of cells without keys, and its scan. */
export class FilteredCells implements FilteredRecords {
  readonly #schema = compileSchema(SCHEMA_ID, 1, PERSON);
  readonly #store: PartitionStore;
  readonly #predicate: Predicate;
  readonly #random: Random = seededRandom(SEED);
  readonly #writer = new ByteWriter(CELLS_PER_COMMIT * RECORD_BYTES_MAX);

  /** @param records at most so many are added */
  constructor(records: number) {
    const schemas = new SchemaTable();
    schemas.add(this.#schema);
    const arena = new Arena({ bytes: records * RECORD_BYTES_MAX + SLACK_BYTES });
    const partition = { partition: 0, epoch: 1, firstSegment: 1 };
    this.#store = new PartitionStore({ ...partition, arena, schemas, clock: systemClock, events: noEvents });
    this.#predicate = this.#schema.compilePredicate([this.#schema.path('age').clause('gt', OLDER_THAN)]);
  }

  add(count: number): void {
    for (let added = 0; added < count; added += CELLS_PER_COMMIT)
      this.#commit(Math.min(count - added, CELLS_PER_COMMIT));
  }

  #commit(count: number): void {
    this.#store.begin();
    this.#writer.reset();
    const first = this.#store.cells;
    for (let n = first; n < first + count; n++) {
      const at = this.#writer.length;
      this.#schema.encode(personOf(n, this.#random), this.#writer);
      this.#store.create(SCHEMA_ID, this.#writer.buffer, at, this.#writer.length - at);
    }
    this.#store.commit();
  }

  filter(): number {
    let matches = 0;
    this.#store.scan(SCHEMA_ID, this.#predicate, 0, Infinity, Infinity, () => (matches += 1));
    return matches;
  }
}
