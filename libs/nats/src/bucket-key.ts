/** Keys of shared maps as keys of NATS buckets, which are subjects: what a subject may not hold travels as `=XX` in hex. */

const PLAIN = /^[-/\w]$/;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The bucket key of `key`. */
export function toBucketKey(key: string): string {
  let text = '';
  for (const char of key) text += PLAIN.test(char) ? char : escape(char);
  return text;
}

/** The key that {@link toBucketKey} was given. */
export function fromBucketKey(bucketKey: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < bucketKey.length; at++) {
    const escaped = bucketKey[at] === '=';
    bytes.push(escaped ? Number.parseInt(bucketKey.slice(at + 1, at + 3), 16) : bucketKey.charCodeAt(at));
    if (escaped) at += 2;
  }
  return decoder.decode(Uint8Array.from(bytes));
}

function escape(char: string): string {
  return [...encoder.encode(char)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
