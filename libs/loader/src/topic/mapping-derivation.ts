import { sectionWith, type DerivationKind, type MendedSections } from '@niobe/aggregates';
import type { PreparedSection } from '@niobe/grid';
import type { NiobeError } from '@niobe/kernel';
import { halves } from '../files/halves.ts';
import { MappingFolder, type FolderSurroundings } from '../fold/mapping-folder.ts';
import { sourceNamesOf, type Mapping } from '../mapping/mapping.ts';

/** Mappings as lanes see them: a stage of vertices and one of edges, a folder for each share. */
export function mappingDerivation(around: FolderSurroundings): DerivationKind<Mapping> {
  return {
    // An edge needs the ids of both its ends: it can be written in no grid partition while one of them is away.
    leavesDamaged: false,
    remedy: 'restore the records; without them the edges are not complete',
    mend: (section, refusal, opIndex) => mended(section, refusal, opIndex, around),
    sources: sourceNamesOf,
    folders: (mappings) => () => new MappingFolder(mappings, around),
  };
}

/** A merge whose sum does not fit is left out and counted; links that are too much for one batch are sent in two. */
function mended(
  section: PreparedSection,
  { code }: NiobeError,
  opIndex: number,
  { counters }: FolderSurroundings,
): MendedSections | null {
  if (code === 'TOO_LARGE') return halves(section);
  if (code !== 'OVERFLOW' || opIndex < 0) return null;
  counters.overflows.add(1);
  return [sectionWith(section, (index) => index !== opIndex)];
}
