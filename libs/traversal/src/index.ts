export { Searcher, type SearcherOptions } from './coordinator/searcher.ts';
export type { SearchedCells } from './engine/searched-cells.ts';
export { TraversalEngine, type TraversalEngineOptions } from './engine/traversal-engine.ts';
export { readSearch } from './read-search.ts';
export type {
  Hop,
  LevelsAnswer,
  Search,
  SearchAnswer,
  SearchBudget,
  SearchOrder,
  SearchRow,
  StartVertex,
  VerticesAnswer,
} from './search.ts';
