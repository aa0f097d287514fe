import { compileSchema, SchemaTable, type CellRecord } from '@niobe/cells';
import { ByteWriter, seededRandom, systemClock } from '@niobe/kernel';
import { Arena, noEvents, PartitionStore } from '@niobe/store';
import { CELLS_PER_COMMIT, SCHEMA_ID } from './loaded-store.ts';
import { AGES, PERSON, personOf } from './twelve-fields.ts';

/** Records of twelve fields that are filtered by one of them, without an index: as cells, and as objects. */

/** A filter over all records; how many match: one in ten. */
export type Filter = () => number;

const OLDER_THAN = (AGES * 9) / 10 - 1;
const RECORD_BYTES_MAX = 256;
const SLACK_BYTES: number = 64 * 1024 * 1024;
const SEED = 42;

/** An array of objects, made from JSON as an application gets them. */
export function filterOfObjects(records: number): Filter {
  const random = seededRandom(SEED);
  const people = Array.from(
    { length: records },
    (_, n) => JSON.parse(JSON.stringify(personOf(n, random))) as CellRecord & { readonly age: number },
  );
  return () => people.filter((person) => person.age > OLDER_THAN).length;
}

/** A partition of cells without keys, and its scan. */
export function filterOfCells(records: number): Filter {
  const schema = compileSchema(SCHEMA_ID, 1, PERSON);
  const store = emptyStore(records * RECORD_BYTES_MAX + SLACK_BYTES);
  store.schemas.add(schema);
  const random = seededRandom(SEED);
  const out = new ByteWriter(CELLS_PER_COMMIT * RECORD_BYTES_MAX);
  for (let first = 0; first < records; first += CELLS_PER_COMMIT) {
    store.partition.begin();
    out.reset();
    for (let n = first; n < Math.min(records, first + CELLS_PER_COMMIT); n++) {
      const at = out.length;
      schema.encode(personOf(n, random), out);
      store.partition.create(SCHEMA_ID, out.buffer, at, out.length - at);
    }
    store.partition.commit();
  }
  const predicate = schema.compilePredicate([schema.path('age').clause('gt', OLDER_THAN)]);
  return () => {
    let matches = 0;
    store.partition.scan(SCHEMA_ID, predicate, 0, Infinity, Infinity, () => (matches += 1));
    return matches;
  };
}

function emptyStore(bytes: number): { readonly partition: PartitionStore; readonly schemas: SchemaTable } {
  const schemas = new SchemaTable();
  const partition = new PartitionStore({
    partition: 0,
    epoch: 1,
    firstSegment: 1,
    arena: new Arena({ bytes }),
    schemas,
    clock: systemClock,
    events: noEvents,
  });
  return { partition, schemas };
}
