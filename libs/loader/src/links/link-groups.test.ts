import { describe, expect, it } from '@jest/globals';
import { cellIdOf, compileSchema, partitionOfId } from '@niobe/cells';
import { Ack, LINK_IDS_MAX, OpKind, SectionBuilder, WriteFrameBuilder, WriteRequest } from '@niobe/grid';
import { ByteWriter, getU53 } from '@niobe/kernel';
import fc from 'fast-check';
import { VertexIds } from '../keys/vertex-ids.ts';
import { ID_BYTES, LinkGroups } from './link-groups.ts';

const PARTITIONS = 4;
const SCHEMA_ID = 77;
const NEEDED = 2;
const page = compileSchema(16, 1, { name: 'page', key: 'integer', fields: {} });

/** Vertices 0 to `count` whose ids lie in the partitions that their keys choose. */
function verticesOf(count: number): VertexIds {
  const vertices = new VertexIds(page, PARTITIONS, 1 << 24);
  const key = new ByteWriter(8);
  for (let i = 0; i < count; i++) {
    key.reset();
    page.encodeKey(i, key);
    const row = vertices.row(key.buffer, 0, key.length);
    vertices.set(row, cellIdOf(vertices.keys.partition(row), i % 5, 2 ** 31 + i));
  }
  return vertices;
}

interface Op {
  readonly own: number;
  readonly others: number[];
}

/** The operations of a partition, as a shard would read them, in sections of at most about `sectionBytes`. */
function opsOf(groups: LinkGroups, partition: number, sectionBytes: number): Op[] {
  const ops: Op[] = [];
  groups.start(partition);
  for (let more = true; more;) {
    const section = new SectionBuilder();
    section.start(partition);
    more = groups.writeSome(section, SCHEMA_ID, sectionBytes);
    const { content, ops: count } = section.finish();
    const frame = new WriteFrameBuilder();
    frame.start(1, Ack.DURABLE);
    frame.preparedSection(partition, 0, 0, count, content);
    ops.push(...readOps(new WriteRequest(frame.finish())));
  }
  return ops;
}

function readOps(request: WriteRequest): Op[] {
  const ops: Op[] = [];
  const view = new DataView(request.bytes.buffer);
  request.nextSection();
  while (request.nextOp()) {
    expect([request.kind, request.schemaId]).toEqual([OpKind.LINK, SCHEMA_ID]);
    const { keyAt, bodyAt, bodyBytes } = request;
    const others = Array.from({ length: bodyBytes / ID_BYTES }, (_, i) => getU53(view, bodyAt + i * ID_BYTES));
    ops.push({ own: getU53(view, keyAt), others });
  }
  return ops;
}

describe('LinkGroups', () => {
  it('gives each vertex the neighbours of the edges that are needed, in its partition', () => {
    const vertices = verticesOf(40);
    const groups = new LinkGroups(PARTITIONS);
    const edge = fc.tuple(fc.nat(39), fc.nat(39), fc.nat(3));
    fc.assert(
      fc.property(fc.array(edge, { maxLength: 300 }), fc.integer({ min: 1, max: 4000 }), (edges, sectionBytes) => {
        const own = Uint32Array.from(edges, ([from]) => from);
        const other = Uint32Array.from(edges, ([, to]) => to);
        const needs = Uint8Array.from(edges, ([, , need]) => need);
        groups.group(vertices, own, vertices, other, edges.length, needs, NEEDED);
        const wanted = edges.filter(([, , need]) => (need & NEEDED) !== 0);
        const expected = wanted.map(([from, to]) => `${vertices.id(from)}>${vertices.id(to)}`);
        const found: string[] = [];
        for (let partition = 0; partition < PARTITIONS; partition++) {
          const ops = opsOf(groups, partition, sectionBytes);
          expect(new Set(ops.map((op) => op.own)).size).toBe(ops.length);
          for (const { own: id, others } of ops) {
            expect(partitionOfId(id)).toBe(partition);
            found.push(...others.map((neighbour) => `${id}>${neighbour}`));
          }
          const bytes = ops.reduce((sum, { others }) => sum + 24 + others.length * ID_BYTES, 0);
          expect(groups.opBytes(partition)).toBe(bytes);
        }
        expect(found.toSorted()).toEqual(expected.toSorted());
        expect(groups.edges).toBe(wanted.length);
      }),
    );
  });

  it('cuts what is too much for one operation', () => {
    const vertices = verticesOf(2);
    const count = LINK_IDS_MAX * 2 + 1;
    const groups = new LinkGroups(PARTITIONS);
    groups.group(vertices, new Uint32Array(count), vertices, new Uint32Array(count).fill(1), count, null, 0);
    const ops = opsOf(groups, partitionOfId(vertices.id(0)), 1);
    expect(ops.map(({ others }) => others.length)).toEqual([LINK_IDS_MAX, LINK_IDS_MAX, 1]);
  });
});
