/** UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF. */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** True if `bytes[start, end)` is UTF-8. O(n), allocates nothing. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const lead = bytes[at]!;
    if (lead < 0x80) {
      at += 1;
      continue;
    }
    const length = sequenceBytes(lead, at + 1 < end ? bytes[at + 1]! : 0);
    if (length === 0 || at + length > end) return false;
    for (let i = 1; i < length; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return false;
    at += length;
  }
  return true;
}

/** Bytes of the sequence that starts with `lead`, 0 where `lead` and `second` cannot start one (RFC 3629, section 4). */
function sequenceBytes(lead: number, second: number): number {
  if (lead < 0xc2 || lead > 0xf4) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return (lead === 0xe0 && second < 0xa0) || (lead === 0xed && second >= 0xa0) ? 0 : 3;
  return (lead === 0xf0 && second < 0x90) || (lead === 0xf4 && second >= 0x90) ? 0 : 4;
}

/** The text in `bytes[start, end)`, which must be UTF-8. */
export function textAt(bytes: Uint8Array, start: number, end: number): string {
  const text = end - start <= ASCII_BYTES_MAX ? asciiAt(bytes, start, end) : null;
  return text ?? decoder.decode(bytes.subarray(start, end));
}

/** Up to this length building a text byte by byte costs less than the call of a decoder. */
const ASCII_BYTES_MAX = 48;

/** The text in `bytes[start, end)` if all of it is ASCII, else null. Takes many bytes at a time, because the joins are what costs. */
function asciiAt(bytes: Uint8Array, start: number, end: number): string | null {
  for (let at = start; at < end; at++) if (bytes[at]! > 0x7f) return null;
  let text = '';
  let at = start;
  for (; at + 8 <= end; at += 8) {
    text += String.fromCharCode(
      bytes[at]!,
      bytes[at + 1]!,
      bytes[at + 2]!,
      bytes[at + 3]!,
      bytes[at + 4]!,
      bytes[at + 5]!,
      bytes[at + 6]!,
      bytes[at + 7]!,
    );
  }
  if (at + 4 <= end) {
    text += String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
    at += 4;
  }
  for (; at < end; at++) text += String.fromCharCode(bytes[at]!);
  return text;
}

/** UTF-8 of a well-formed text. */
export function utf8Of(text: string): Uint8Array {
  return encoder.encode(text);
}
