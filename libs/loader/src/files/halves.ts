import { sectionWith } from '@niobe/aggregates';
import { Ack, OpKind, WriteFrameBuilder, WriteRequest, type PreparedSection } from '@niobe/grid';

/**
 * A section whose batch was too large, as two: the first has half of its links and leaves the sources where they are, the second has the
 * rest and moves them. Taken one after the other they do the same, because links may be repeated: after a crash in between the first
 * half comes again. Null where there are no two links before other operations. O(bytes): for what is rare.
 */
export function halves(section: PreparedSection): readonly [PreparedSection, PreparedSection] | null {
  const links = linksOf(section);
  if (links < 2) return null;
  const half = Math.floor(links / 2);
  return [sectionWith(section, (index) => index < half, false), sectionWith(section, (index) => index >= half)];
}

/** Links that a section begins with. */
function linksOf({ partition, sourceEnds, ops, content }: PreparedSection): number {
  const frame = new WriteFrameBuilder();
  frame.start(0, Ack.DURABLE);
  frame.preparedSection(partition, 0, sourceEnds.length, ops, content);
  const request = new WriteRequest(frame.finish());
  request.nextSection();
  while (request.nextSource());
  let links = 0;
  while (request.nextOp() && request.kind === OpKind.LINK) links += 1;
  return links;
}
