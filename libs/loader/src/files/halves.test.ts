import { describe, expect, it } from '@jest/globals';
import { Ack, OpKind, SectionBuilder, WriteFrameBuilder, WriteRequest, type PreparedSection } from '@niobe/grid';
import { halves } from './halves.ts';

const KEY = new Uint8Array(16);

function section(links: number, merges: number): PreparedSection {
  const builder = new SectionBuilder();
  builder.start(3);
  builder.source('file:x/edges', 100, 200);
  for (let i = 0; i < links; i++) builder.op(OpKind.LINK, i + 16, 0, KEY, 0, 8, KEY, 0, 8);
  for (let i = 0; i < merges; i++) builder.op(OpKind.MERGE, i + 16, 0, KEY, 0, 16, KEY, 0, 1);
  return builder.finish();
}

/** From, to, and kind and schema of each operation. */
function read({ partition, sourceEnds, ops, content }: PreparedSection): unknown[] {
  const frame = new WriteFrameBuilder();
  frame.start(0, Ack.DURABLE);
  frame.preparedSection(partition, 1, sourceEnds.length, ops, content);
  const request = new WriteRequest(frame.finish());
  request.nextSection();
  request.nextSource();
  const found: unknown[] = [request.from, request.to];
  request.nextSource();
  while (request.nextOp()) found.push(`${request.kind} ${request.schemaId}`);
  return found;
}

describe('a section that is too much for one batch', () => {
  it('becomes two, of which only the second moves the source and has what may not be repeated', () => {
    const [first, second] = halves(section(5, 2))!;
    expect(read(first)).toEqual([100, 100, '6 16', '6 17']);
    expect(read(second)).toEqual([100, 200, '6 18', '6 19', '6 20', '5 16', '5 17']);
    expect([first.partition, second.partition]).toEqual([3, 3]);
    expect([first.sourceEnds, second.sourceEnds]).toEqual([[100], [200]]);
  });

  it('stays one where there are no two links', () => {
    expect(halves(section(1, 3))).toBeNull();
    expect(halves(section(0, 3))).toBeNull();
  });
});
