import { ByteWriter, NiobeError } from '@niobe/kernel';
import { writeOp, writeSource, type OpKindCode } from '../frames/write-request.ts';
import { FRAME_BYTES } from '../limits.ts';
import { CELL_BYTES_MAX } from '@niobe/cells';

/** Longest content of one section: sections are atomic, so what exceeds it cannot be cut. */
export const SECTION_BYTES_MAX: number = FRAME_BYTES + CELL_BYTES_MAX;

/** An atomic batch for one partition, ready to be put in a frame. */
export interface PreparedSection {
  readonly partition: number;
  /** The offset that each source has when the section was taken; with sources a section may be sent again without harm. */
  readonly sourceEnds: readonly number[];
  readonly ops: number;
  /** Sources and operations as they travel. */
  readonly content: Uint8Array;
}

/** Makes sections; one builder is used over and over. Sources come first, then operations as byte ranges. */
export class SectionBuilder {
  readonly #out: ByteWriter = new ByteWriter(SECTION_BYTES_MAX, 16_384);
  #partition = 0;
  #sourceEnds: number[] = [];
  #ops = 0;

  /** Bytes of content so far; a caller cuts its batch before {@link FRAME_BYTES}. */
  get length(): number {
    return this.#out.length;
  }

  get ops(): number {
    return this.#ops;
  }

  start(partition: number): void {
    this.#out.reset();
    this.#partition = partition;
    this.#sourceEnds = [];
    this.#ops = 0;
  }

  /** See {@link writeSource}. */
  source(name: string, from: number, to: number, watermarkMs: number = NaN): void {
    writeSource(this.#out, name, from, to, watermarkMs);
    this.#sourceEnds.push(to);
  }

  /** See {@link writeOp}. `TOO_LARGE` when the section would not fit a frame. */
  op(
    kind: OpKindCode,
    schemaId: number,
    expiresS: number,
    key: Uint8Array,
    keyAt: number,
    keyBytes: number,
    body: Uint8Array,
    bodyAt: number,
    bodyBytes: number,
    versionEpoch = 0,
    versionSeq = 0,
  ): void {
    if (keyBytes + bodyBytes > CELL_BYTES_MAX)
      throw new NiobeError('TOO_LARGE', `a cell of ${keyBytes + bodyBytes} bytes exceeds ${CELL_BYTES_MAX}`, {
        maxBytes: CELL_BYTES_MAX,
      });
    writeOp(
      this.#out,
      kind,
      schemaId,
      expiresS,
      key,
      keyAt,
      keyBytes,
      body,
      bodyAt,
      bodyBytes,
      versionEpoch,
      versionSeq,
    );
    this.#ops += 1;
  }

  /** The section with a copy of its content. */
  finish(): PreparedSection {
    return { partition: this.#partition, sourceEnds: this.#sourceEnds, ops: this.#ops, content: this.#out.finish() };
  }
}
