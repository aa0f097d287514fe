import { EDGE_CHUNK_IDS_MAX, EDGE_CHUNK_SCHEMA_ID } from '@niobe/grid';
import { assert, ByteWriter } from '@niobe/kernel';
import type { PartitionStore } from '@niobe/store';
import { CHUNK_BODY, CHUNK_FIELD } from '../edges/adjacency-schema.ts';
import { EdgeChunk, NO_CHUNK, REF_BYTES, refAt, viewOf } from './list-cells.ts';
import { writeRefs } from './write-refs.ts';

/**
 * The chunks of one list of neighbours after another: sealed, each sorted by id, newest first, kept few by merging them as a
 * log-structured merge tree merges its runs (O'Neil et al. 1996; the tiered form).
 *
 * 1. Level 0 is a chunk of up to 64 references; each level takes four times as many as the one below; level 4, above 4,096, is the last.
 *    Along the chain levels never fall.
 * 2. References that come to the front take in the chunks of lower levels before them, and three of their own level, which makes one of
 *    the next. So there are at most three chunks of a level below the last.
 * 3. What is more than one chunk holds is cut in equal parts. Chunks of the last level are not merged again.
 * 4. A chunk never changes: what is merged gets a new id, and the chunks that it came from are deleted. So a reader that was interrupted
 *    goes on as before, or finds the next chunk gone.
 *
 * A list of n references has at most 12 + n / 4,096 chunks, and one that grows by single references writes each of them at most five
 * times in chunks.
 */
export class ChunkChain {
  /** References to be put in front, ascending; filled by the caller up to {@link count}. */
  readonly refs: Float64Array = new Float64Array(POOL_REFS_MAX);
  count = 0;
  readonly #chunk = new EdgeChunk();
  readonly #body = CHUNK_BODY.bodyBuilder();
  readonly #out = new ByteWriter(CHUNK_BYTES_MAX);
  /** Slots of chunks that were taken in. */
  readonly #taken: number[] = [];

  /** Puts {@link refs} in front of the chain that begins with chunk `first`, in the open batch; returns the id of its first chunk then. */
  prepend(store: PartitionStore, first: number): number {
    assert(this.count > 0, 'there is something to put in front');
    this.#taken.length = 0;
    let next = first;
    for (let due = this.#due(store, next); due > 0; due = this.#due(store, next))
      for (; due > 0; due--) next = this.#takeIn(store, next);
    const parts = Math.ceil(this.count / EDGE_CHUNK_IDS_MAX);
    const end = (part: number): number => Math.floor((this.count * part) / parts);
    for (let part = parts; part > 0; part--) next = this.#write(store, end(part - 1), end(part), next);
    for (const slot of this.#taken) store.remove(slot);
    return next;
  }

  /** How many of the first chunks are to be merged with the references. */
  #due(store: PartitionStore, first: number): number {
    const level = levelOf(this.count);
    let alike = 0;
    for (let id = first; id !== NO_CHUNK && alike < LEVEL_CHUNKS_MAX; id = this.#chunk.next) {
      this.#chunk.read(store, id);
      const other = levelOf(this.#chunk.refs);
      alike += 1;
      if (other < level) return alike;
      if (other > level) return 0;
    }
    return alike === LEVEL_CHUNKS_MAX && level < LAST_LEVEL ? alike : 0;
  }

  /** Merges a chunk into the references from the back, where there is room, and returns the chunk after it. */
  #takeIn(store: PartitionStore, id: number): number {
    const chunk = this.#chunk;
    chunk.read(store, id);
    assert(this.count + chunk.refs <= POOL_REFS_MAX, 'levels bound what is merged at once');
    const view = viewOf(store);
    const { refs } = this;
    let mine = this.count - 1;
    let at = chunk.refsAt + (chunk.refs - 1) * REF_BYTES;
    for (let to = mine + chunk.refs; at >= chunk.refsAt; to--) {
      const theirs = refAt(view, at);
      if (mine >= 0 && refs[mine]! > theirs) refs[to] = refs[mine--]!;
      else {
        refs[to] = theirs;
        at -= REF_BYTES;
      }
    }
    this.count += chunk.refs;
    this.#taken.push(chunk.slot);
    return chunk.next;
  }

  /** Writes `refs[from, to)` as one chunk; returns its id. */
  #write(store: PartitionStore, from: number, to: number, next: number): number {
    const out = this.#out;
    out.reset();
    this.#body.begin(out);
    if (next !== NO_CHUNK) this.#body.setNumber(CHUNK_FIELD.next, next);
    writeRefs(out, this.refs, from, to);
    this.#body.endVariable(CHUNK_FIELD.refs);
    const bytes = this.#body.end();
    return store.idOf(store.create(EDGE_CHUNK_SCHEMA_ID, out.buffer, 0, bytes));
  }
}

/** Chunks of one level, before a further one makes them one of the next. */
const LEVEL_CHUNKS_MAX = 3;
const LEVEL_0_REFS_MAX = 64;
const LEVEL_GROWTH = 4;
const LAST_LEVEL = 4;
/** Those of one link and a head, and three chunks of each level below the last: 24,528; in chunks, three. */
const POOL_REFS_MAX: number = 3 * EDGE_CHUNK_IDS_MAX;
/** A full chunk: its references and its head. */
const CHUNK_BYTES_MAX: number = EDGE_CHUNK_IDS_MAX * REF_BYTES + 64;

function levelOf(refs: number): number {
  let level = 0;
  for (let most = LEVEL_0_REFS_MAX; refs > most && level < LAST_LEVEL; most *= LEVEL_GROWTH) level += 1;
  return level;
}
