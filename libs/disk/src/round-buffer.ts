import { assert } from '@niobe/kernel';
import { OWNER_BYTES_MAX, type Attempt, type Catalogue, type Change } from '@niobe/replication';
import {
  RECORD_HEADER_BYTES,
  ROUND_HEADER_BYTES,
  roundBytes,
  writeCatalogue,
  writeChange,
  writeRoundHeader,
} from './journal-format.ts';

/**
 * Memory in which rounds are made, one behind the other, exactly as they go to the journal. The payloads stay in place until they
 * are in segment files, so bytes are copied once on their way through.
 */
export class RoundBuffer {
  bytes: Uint8Array;
  /** Bytes that rounds take. */
  used = 0;
  /** Pieces of it that are not in segment files yet. */
  unwritten = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  hasRoom(bytes: number): boolean {
    return this.used + bytes <= this.bytes.length;
  }

  /** Forgets its rounds; grows if a single round needs it. */
  reset(bytes: number): void {
    assert(this.unwritten === 0, 'a round buffer is reused when all of it is in segment files');
    this.used = 0;
    if (bytes > this.bytes.length) this.bytes = new Uint8Array(bytes);
  }
}

/** What a round of `changes` changes with `bytes` of payload takes in the journal, at most: any of them may name an owner. */
export function roundBytesMax(bytes: number, changes: number): number {
  return roundBytes(bytes + changes * (RECORD_HEADER_BYTES + OWNER_BYTES_MAX));
}

function payloadBytesOf(attempt: Attempt, change: Change): number {
  if (change.kind === 'register') return Buffer.byteLength(attempt.owner);
  return 'bytes' in change ? change.bytes.length : 0;
}

/** A round in the making, at the end of a buffer. */
export class RoundWriter {
  readonly round: number;
  readonly buffer: RoundBuffer;
  readonly #start: number;
  readonly #end: number;
  #at: number;

  /** @param bytes what was asked for with {@link roundBytesMax}; there must be room for it. */
  constructor(buffer: RoundBuffer, round: number, bytes: number) {
    assert(buffer.hasRoom(bytes), 'a round is begun where it has room');
    this.round = round;
    this.buffer = buffer;
    this.#start = buffer.used;
    this.#end = buffer.used + bytes;
    this.#at = this.#start + ROUND_HEADER_BYTES;
  }

  get isEmpty(): boolean {
    return this.#at === this.#start + ROUND_HEADER_BYTES;
  }

  /** Records a change; a view of the copy of its bytes. */
  add(partition: number, attempt: Attempt, change: Change): Uint8Array {
    const payloadBytes = payloadBytesOf(attempt, change);
    this.#reserve(payloadBytes);
    this.#at = writeChange(this.buffer.bytes, this.#at, this.round, partition, attempt, change);
    return this.buffer.bytes.subarray(this.#at - payloadBytes, this.#at);
  }

  addCatalogue(catalogue: Catalogue): void {
    this.#reserve(catalogue.bytes.length);
    this.#at = writeCatalogue(this.buffer.bytes, this.#at, this.round, catalogue);
  }

  #reserve(payloadBytes: number): void {
    assert(this.#at + RECORD_HEADER_BYTES + payloadBytes <= this.#end, 'no more is staged than was prepared for');
  }

  /** The round as it goes to the journal, in whole blocks; a view of the buffer. */
  finish(identity: Uint8Array): Uint8Array {
    const bodyBytes = this.#at - this.#start - ROUND_HEADER_BYTES;
    const end = this.#start + roundBytes(bodyBytes);
    writeRoundHeader(this.buffer.bytes, this.#start, identity, this.round, bodyBytes);
    this.buffer.bytes.fill(0, this.#at, end);
    this.buffer.used = end;
    return this.buffer.bytes.subarray(this.#start, end);
  }
}
