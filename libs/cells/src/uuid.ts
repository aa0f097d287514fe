/** UUIDs (RFC 9562) as their 16 bytes in the order of the text. */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const UUID_BYTES = 16;

/** Writes the bytes of a UUID in text of either case; false where it is none. */
export function setUuid(bytes: Uint8Array, at: number, text: string): boolean {
  if (!UUID.test(text)) return false;
  const digits = text.replaceAll('-', '');
  for (let i = 0; i < UUID_BYTES; i++) bytes[at + i] = Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16);
  return true;
}

/** The text of a UUID, in lower case. */
export function uuidAt(bytes: Uint8Array, at: number): string {
  let digits = '';
  for (let i = 0; i < UUID_BYTES; i++) digits += bytes[at + i]!.toString(16).padStart(2, '0');
  const cut = (start: number, end?: number): string => digits.slice(start, end);
  return `${cut(0, 8)}-${cut(8, 12)}-${cut(12, 16)}-${cut(16, 20)}-${cut(20)}`;
}
