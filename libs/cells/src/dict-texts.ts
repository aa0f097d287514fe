import { utf8Of } from './utf8.ts';

/** The texts of a dict by their codes, as UTF-8 in one run of bytes. */
export class DictTexts {
  readonly bytes: Uint8Array;
  /** By code: where its text begins; it ends where the next one does. */
  readonly starts: Uint32Array;

  constructor(values: readonly string[]) {
    const texts = values.map(utf8Of);
    this.starts = new Uint32Array(values.length + 1);
    for (const [code, text] of texts.entries()) this.starts[code + 1] = this.starts[code]! + text.length;
    this.bytes = new Uint8Array(this.starts[values.length]!);
    for (const [code, text] of texts.entries()) this.bytes.set(text, this.starts[code]);
  }
}
