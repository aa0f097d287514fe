/** Requests that must be refused, each with the status and code it must get. */

export interface BadRequest {
  readonly name: string;
  /** Which service answers. */
  readonly to: 'ingest' | 'analytics';
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string;
  readonly status: number;
  readonly code: string;
  /** What the answer must mention: a path, a position, what exists. */
  readonly mentions?: string;
}

const JSON_TYPE = 'application/json';
const GOOD_DATA = { product: '85123A', quantity: 6, price: '2.550', country: 'United Kingdom' };

function event(change: object, data: object = {}): string {
  return JSON.stringify({
    id: 'bad-1',
    type: 'purchase',
    time: '2011-01-04T10:00:00Z',
    data: { ...GOOD_DATA, ...data },
    ...change,
  });
}

function post(name: string, body: string, status: number, code: string, mentions?: string): BadRequest {
  const request = {
    name,
    to: 'ingest',
    method: 'POST',
    path: '/v1/events',
    contentType: JSON_TYPE,
    body,
    status,
    code,
  } as const;
  return mentions === undefined ? request : { ...request, mentions };
}

function ask(name: string, path: string, status: number, code: string, mentions?: string): BadRequest {
  const request = { name, to: 'analytics', method: 'GET', path, status, code } as const;
  return mentions === undefined ? request : { ...request, mentions };
}

const missingPrice = JSON.stringify({
  id: 'bad-1',
  type: 'purchase',
  data: { product: 'a', quantity: 1, country: 'x' },
});

export const BAD_REQUESTS: readonly BadRequest[] = [
  post('malformed JSON', '{"id": "a", "type": ', 400, 'MALFORMED', 'position'),
  post('empty body', '', 400, 'MALFORMED'),
  post('not an object', '[1, 2', 400, 'MALFORMED'),
  post('unknown type', event({ type: 'refund' }), 422, 'UNKNOWN_EVENT_TYPE', 'type'),
  post('missing field', missingPrice, 422, 'SCHEMA_VIOLATION', 'data.price'),
  post('wrong field type', event({}, { quantity: 'six' }), 422, 'SCHEMA_VIOLATION', 'data.quantity'),
  post('fraction for an integer', event({}, { quantity: 1.5 }), 422, 'SCHEMA_VIOLATION', 'data.quantity'),
  post('more digits than the scale', event({}, { price: '1.23456' }), 422, 'SCHEMA_VIOLATION', 'data.price'),
  post('undeclared field', event({}, { colour: 'red' }), 422, 'SCHEMA_VIOLATION', 'data.colour'),
  post('lone surrogate', event({}, { product: '\ud800' }), 422, 'SCHEMA_VIOLATION', 'data.product'),
  post('no time', event({ time: 'yesterday' }), 422, 'SCHEMA_VIOLATION', 'time'),
  post('time in the future', event({ time: '2999-01-01T00:00:00Z' }), 422, 'TIME_IN_FUTURE'),
  post('event too large', event({}, { description: 'x'.repeat(70_000) }), 413, 'TOO_LARGE', 'maxBytes'),
  { ...post('wrong media type', '<event/>', 415, 'UNSUPPORTED_MEDIA_TYPE'), contentType: 'application/xml' },
  { ...post('batch too large', `[${'1,'.repeat(700_000)}1]`, 413, 'TOO_LARGE', 'maxBytes'), path: '/v1/batch' },
  { ...post('malformed batch', '[{"id": "a"', 400, 'MALFORMED', 'position'), path: '/v1/batch' },
  { ...post('wrong method', event({}), 405, 'METHOD_NOT_ALLOWED'), method: 'PUT' },
  { ...post('unknown route', event({}), 404, 'NOT_FOUND'), path: '/v1/nothing' },
  ask('unknown cube', '/v1/cubes/nothing', 404, 'NOT_FOUND', 'sales'),
  ask('undeclared dimension set', '/v1/cubes/sales?by=product,user', 404, 'NOT_FOUND', 'country'),
  ask('unaligned from', '/v1/cubes/sales_by_day?by=&from=2011-01-04T10:00:01Z', 400, 'BAD_REQUEST', 'from'),
  ask('time that is none', '/v1/cubes/sales_by_day?by=&from=soon', 400, 'BAD_REQUEST', 'from'),
  ask('limit of zero', '/v1/cubes/sales?by=&limit=0', 400, 'BAD_REQUEST', 'limit'),
  ask('limit beyond the bound', '/v1/cubes/sales?by=&limit=1000000', 400, 'BAD_REQUEST', 'limit'),
  ask('order by nothing known', '/v1/cubes/sales?by=product&order=-colour', 400, 'BAD_REQUEST', 'order'),
  ask('cursor that is none', '/v1/cubes/sales?by=product&cursor=abc', 400, 'BAD_REQUEST', 'cursor'),
  ask('panes that is none', '/v1/cubes/sales?by=product&panes=some', 400, 'BAD_REQUEST', 'panes'),
  ask('filter on nothing known', '/v1/cubes/sales?by=product&colour=red', 404, 'NOT_FOUND', 'colour'),
];
