import { ByteWriter } from '@niobe/kernel';
import { joinRevisions } from '../src/revisions.ts';
import { compileSchema, type CompiledSchema } from '../src/schema.ts';
import type { RevisedRecord } from './revised-records.ts';

/** The schema that reads a record of either revision. */
export function compiled({ before, after }: RevisedRecord): CompiledSchema {
  return compileSchema(16, 2, joinRevisions(before, after));
}

/** The body of a record in the revision that it was written in. */
export function bodyOf(record: RevisedRecord): Uint8Array {
  const schema = record.isOld ? compileSchema(16, 1, record.before) : compiled(record);
  const out = new ByteWriter(1024 * 1024);
  schema.encode(record.written, out);
  return out.finish();
}
