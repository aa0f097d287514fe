import { messageOf, NiobeError } from '@niobe/kernel';
import { CsvParser } from './csv-parser.ts';
import { openContent } from './input-file.ts';

/** Rows that one piece of the file completed. */
export interface RowChunk {
  readonly rows: readonly (readonly string[])[];
  /** Bytes of the file, as it lies on disk, that were read so far. */
  readonly fileBytesRead: number;
}

/** The rows of a CSV file, header included, in pieces; gzip is recognised by its first bytes, UTF-8 is checked. */
export async function* readCsv(path: string, separator = ','): AsyncGenerator<RowChunk> {
  const file = await openContent(path);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const parser = new CsvParser(separator);
  try {
    for await (const piece of file.pieces) {
      yield { rows: parser.push(decoder.decode(piece, { stream: true })), fileBytesRead: file.bytesRead() };
    }
    yield { rows: [...parser.push(decoder.decode()), ...parser.end()], fileBytesRead: file.bytesRead() };
  } catch (error) {
    throw new NiobeError('MALFORMED', `${path} cannot be read as CSV: ${messageOf(error)}`, {}, error);
  } finally {
    file.close();
  }
}
