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
  return decoder.decode(bytes.subarray(start, end));
}

/** UTF-8 of a well-formed text. */
export function utf8Of(text: string): Uint8Array {
  return encoder.encode(text);
}
