import type { ByteWriter } from '@niobe/kernel';

const ASCII_LIMIT = 0x80;
const encoder = new TextEncoder();

/** Appends a text as UTF-8. Allocates nothing for ASCII. */
export function appendText(out: ByteWriter, text: string): void {
  const at = out.reserve(text.length);
  const bytes = out.buffer;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= ASCII_LIMIT) {
      out.truncate(at);
      out.raw(encoder.encode(text));
      return;
    }
    bytes[at + i] = code;
  }
}
