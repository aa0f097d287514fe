import { NiobeError } from '@niobe/kernel';
import { isJsonObject, printable } from './event-type.ts';
import { violation } from './field-reader.ts';

/**
 * The envelope: CloudEvents 1.0, where `source` and `id` together are an event's identity. It comes as plain JSON
 * (`{"type", "data"}`, everything else may be left out), as a structured CloudEvent (the same with `specversion` and perhaps further
 * attributes), or in binary mode: attributes in headers, the data alone as the body.
 */

/** An envelope before its data is checked. */
export interface Envelope {
  /** Null where none was given. */
  readonly id: string | null;
  readonly source: string;
  readonly type: string;
  /** RFC 3339 text or Unix ms, unchecked; undefined where none was given. */
  readonly time: unknown;
  readonly data: unknown;
  /** Further attributes as text, or null: `subject`, `dataschema`, extensions. */
  readonly attributes: Readonly<Record<string, string>> | null;
}

/** The `source` of events that name none. */
export const DEFAULT_SOURCE = 'urn:niobe:collector';
/** The only version there is. */
export const SPEC_VERSION = '1.0';
/** UTF-8 bytes of an id or a source. */
export const IDENTITY_BYTES_LIMIT = 256;
/** Further attributes of one event. */
const ATTRIBUTES_LIMIT = 16;
/** UTF-8 bytes of a further attribute. */
const ATTRIBUTE_BYTES_LIMIT = 1024;

const PLAIN_MEMBERS: ReadonlySet<string> = new Set(['id', 'source', 'type', 'time', 'data']);
const CLOUD_MEMBERS: ReadonlySet<string> = new Set([...PLAIN_MEMBERS, 'specversion', 'datacontenttype']);

/** The envelope in a parsed JSON value. Throws `SCHEMA_VIOLATION` with the path. */
export function readEnvelope(json: unknown): Envelope {
  if (!isJsonObject(json)) throw violation('$', 'expected a JSON object with "type" and "data"');
  const { id, source, type, time, data, specversion } = json;
  if (typeof type !== 'string') throw violation('type', type === undefined ? 'is missing' : 'expected text');
  if (specversion !== undefined) checkCloudEvent(json);
  return {
    id: id === undefined || id === null ? null : identity(id, 'id'),
    source: source === undefined || source === null ? DEFAULT_SOURCE : identity(source, 'source'),
    type,
    time: time ?? undefined,
    data,
    attributes: readAttributes(json, specversion !== undefined),
  };
}

/** Text that is part of an event's identity: not empty, bounded, well formed. */
export function identity(value: unknown, path: string): string {
  if (typeof value !== 'string' || value === '') throw violation(path, 'expected text that is not empty');
  if (value.length * 3 > IDENTITY_BYTES_LIMIT && Buffer.byteLength(value) > IDENTITY_BYTES_LIMIT)
    throw violation(path, `longer than ${IDENTITY_BYTES_LIMIT} bytes`);
  if (!value.isWellFormed()) throw violation(path, 'the text has half of a surrogate pair');
  return value;
}

function checkCloudEvent(json: Readonly<Record<string, unknown>>): void {
  const { specversion, datacontenttype } = json;
  if (specversion !== SPEC_VERSION) throw violation('specversion', `expected "${SPEC_VERSION}"`);
  if (datacontenttype !== undefined && !isJsonType(datacontenttype))
    throw violation('datacontenttype', 'only JSON data is taken');
}

/** True for `application/json` and `application/...+json`, with or without parameters. */
export function isJsonType(contentType: unknown): boolean {
  return typeof contentType === 'string' && /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(contentType);
}

function readAttributes(json: Readonly<Record<string, unknown>>, isCloudEvent: boolean): Record<string, string> | null {
  let attributes: Record<string, string> | null = null;
  const members = isCloudEvent ? CLOUD_MEMBERS : PLAIN_MEMBERS;
  let count = 0;
  for (const name in json) {
    if (members.has(name)) continue;
    if (!isCloudEvent) throw violation(printable(name), 'is not a member of an event: id, source, type, time, data');
    if (++count > ATTRIBUTES_LIMIT)
      throw violation(printable(name), `more than ${ATTRIBUTES_LIMIT} further attributes`);
    attributes ??= {};
    attributes[name] = attributeText(name, json[name]);
  }
  return attributes;
}

function attributeText(name: string, value: unknown): string {
  if (!/^[a-z0-9]{1,32}$/.test(name) || name === 'data')
    throw violation(printable(name), 'the name of an attribute is 1 to 32 small letters and digits');
  if (typeof value !== 'string' && typeof value !== 'boolean' && !Number.isSafeInteger(value))
    throw violation(name, 'expected text, an integer, true or false');
  const text = String(value as string | number | boolean);
  if (!text.isWellFormed() || Buffer.byteLength(text) > ATTRIBUTE_BYTES_LIMIT)
    throw violation(name, `longer than ${ATTRIBUTE_BYTES_LIMIT} bytes or not well formed`);
  return text;
}

/** Prefix of attributes in HTTP headers. */
const HTTP_PREFIX = 'ce-';

/** Request headers as Node gives them: names in small letters. */
export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** True if a request carries its attributes in headers (CloudEvents HTTP binding, binary mode). */
export function isBinaryMode(headers: HttpHeaders): boolean {
  return headers['ce-specversion'] !== undefined || headers['ce-type'] !== undefined;
}

/** The envelope of a request in binary mode around its parsed body. Throws `SCHEMA_VIOLATION` with the header's name. */
export function readBinaryEnvelope(headers: HttpHeaders, data: unknown): Envelope {
  const json: Record<string, unknown> = {};
  for (const name in headers) {
    if (name.startsWith(HTTP_PREFIX)) json[name.slice(HTTP_PREFIX.length)] = headerText(name, headers[name]);
  }
  if (json.specversion === undefined) throw violation('ce-specversion', 'is missing');
  if ('data' in json) throw violation('ce-data', 'is not an attribute; the body is the data');
  json.data = data;
  return readEnvelope(json);
}

/** Header values are percent-encoded UTF-8. */
function headerText(name: string, value: string | readonly string[] | undefined): string {
  try {
    if (typeof value === 'string') return decodeURIComponent(value);
  } catch {
    // Falls through: a lone % or bytes that are no UTF-8.
  }
  throw violation(printable(name), 'expected one percent-encoded value');
}

/** A member of a record or request that could not be read at all. */
export function malformed(what: string): NiobeError {
  return new NiobeError('MALFORMED', what);
}
