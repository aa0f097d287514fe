import { Ack, SectionBuilder, WriteFrameBuilder, WriteRequest, type PreparedSection } from '@niobe/grid';

const decoder = new TextDecoder();

/**
 * A section with some of its operations, in their order. O(bytes): for what is rare.
 *
 * @param keeps told the index of an operation.
 * @param moves false: the sources stay where they begin.
 */
export function sectionWith(
  { partition, sourceEnds, ops, content }: PreparedSection,
  keeps: (opIndex: number) => boolean,
  moves = true,
): PreparedSection {
  const frame = new WriteFrameBuilder();
  frame.start(0, Ack.DURABLE);
  frame.preparedSection(partition, 0, sourceEnds.length, ops, content);
  const request = new WriteRequest(frame.finish());
  request.nextSection();
  const section = new SectionBuilder();
  section.start(partition);
  while (request.nextSource()) {
    const { bytes, nameAt, nameBytes, from, to, watermarkMs } = request;
    const name = decoder.decode(bytes.subarray(nameAt, nameAt + nameBytes));
    section.source(name, from, moves ? to : from, watermarkMs);
  }
  for (let index = 0; request.nextOp(); index++) if (keeps(index)) copyOp(request, section);
  return section.finish();
}

function copyOp(op: WriteRequest, section: SectionBuilder): void {
  const { bytes, kind, schemaId, expiresS, keyAt, keyBytes, bodyAt, bodyBytes, versionEpoch, versionSeq } = op;
  section.op(kind, schemaId, expiresS, bytes, keyAt, keyBytes, bytes, bodyAt, bodyBytes, versionEpoch, versionSeq);
}
