/** Searches that must be refused, each with the status and code it must get. Asked of the web deployment. */

export interface BadSearch {
  readonly name: string;
  readonly body: string;
  readonly contentType?: string;
  readonly status: number;
  readonly code: string;
  /** What the answer must mention: a path, a budget, what exists. */
  readonly mentions?: string;
}

const HOP = { edge: 'links', direction: 'out', repeat: 1_000 };
const GOOD = { start: [{ schema: 'page', key: 0 }], hops: [HOP], return: 'levels' };
const ROWS = { ...GOOD, return: 'vertices' };
const HUGE_BYTES = 10_000_000;

function refused(name: string, request: object, mentions: string, code = 'SCHEMA_VIOLATION', status = 422): BadSearch {
  return { name, body: JSON.stringify(request), status, code, mentions };
}

function withHop(change: object): object {
  return { ...GOOD, hops: [{ ...HOP, ...change }] };
}

export const BAD_SEARCHES: readonly BadSearch[] = [
  refused('unknown schema', { ...GOOD, start: [{ schema: 'book', key: 0 }] }, 'page', 'UNKNOWN_SCHEMA'),
  refused('unknown edge', withHop({ edge: 'likes' }), 'links', 'UNKNOWN_EDGE'),
  refused('unknown direction', withHop({ direction: 'up' }), 'hops[0].direction'),
  refused('depth of 10^9', withHop({ repeat: 1_000_000_000 }), 'hops[0].repeat'),
  refused('depth of 0', withHop({ repeat: 0 }), 'hops[0].repeat'),
  refused('negative depth', withHop({ repeat: -1 }), 'hops[0].repeat'),
  refused('fraction as depth', withHop({ repeat: 1.5 }), 'hops[0].repeat'),
  refused('negative limit', { ...ROWS, limit: -1 }, 'limit'),
  refused('limit of 0', { ...ROWS, limit: 0 }, 'limit'),
  refused('limit beyond the bound', { ...ROWS, limit: 10_001 }, 'limit'),
  refused(
    'a start that does not exist',
    { ...GOOD, start: [{ schema: 'page', key: 999_999_999 }] },
    'start[0].key',
    'NOT_FOUND',
    404,
  ),
  refused('a start of another key type', { ...GOOD, start: [{ schema: 'page', key: 'zero' }] }, 'start[0].key'),
  refused('no start', { ...GOOD, start: [] }, 'start'),
  refused('no hops', { ...GOOD, hops: [] }, 'hops'),
  refused('a thousand hops', { ...GOOD, hops: Array.from({ length: 1_000 }, () => HOP) }, 'hops'),
  refused('nothing known to return', { ...GOOD, return: 'paths' }, 'return'),
  refused('order by nothing known', { ...ROWS, orderBy: 'colour' }, 'orderBy'),
  refused('a field that is not known', { ...GOOD, depth: 3 }, 'orderBy'),
  refused('a list', [GOOD], ''),
  ...['vertices', 'bytes', 'ms'].flatMap((budget) => [
    refused(`budget of 0 ${budget}`, { ...GOOD, budget: { [budget]: 0 } }, `budget.${budget}`),
    refused(`negative budget of ${budget}`, { ...GOOD, budget: { [budget]: -1 } }, `budget.${budget}`),
  ]),
  refused(
    'a search over its budget of vertices',
    { ...GOOD, budget: { vertices: 1_000 } },
    'vertices',
    'BUDGET_EXCEEDED',
  ),
  refused('a search over its budget of bytes', { ...GOOD, budget: { bytes: 1_000 } }, 'bytes', 'BUDGET_EXCEEDED'),
  refused('a search over its budget of time', { ...GOOD, budget: { ms: 1 } }, 'budget.ms', 'DEADLINE', 503),
  { name: 'malformed JSON', body: '{"start": [', status: 400, code: 'MALFORMED' },
  { name: 'empty body', body: '', status: 400, code: 'MALFORMED' },
  {
    name: 'wrong media type',
    body: '<search/>',
    contentType: 'application/xml',
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
  },
  refused('a body of 10 MB', { ...GOOD, more: 'x'.repeat(HUGE_BYTES) }, 'maxBytes', 'TOO_LARGE', 413),
];

/** Cells and edges that are not there, by path below `/v1/`. */
export const BAD_PATHS: readonly { path: string; status: number; code: string }[] = [
  { path: 'cells/book/0', status: 404, code: 'NOT_FOUND' },
  { path: 'cells/page/999999999', status: 404, code: 'NOT_FOUND' },
  { path: 'cells/page/zero', status: 400, code: 'BAD_REQUEST' },
  { path: 'edges/likes/0/1', status: 404, code: 'NOT_FOUND' },
  { path: 'edges/links/0/1', status: 400, code: 'BAD_REQUEST' },
  { path: 'traverse', status: 405, code: 'METHOD_NOT_ALLOWED' },
];
