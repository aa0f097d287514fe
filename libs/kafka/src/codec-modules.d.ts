declare module 'lz4js' {
  /** Upper bound of the decompressed size of an LZ4 frame. */
  export function decompressBound(frame: Uint8Array): number;
  export function decompress(frame: Uint8Array, maxSize?: number): Uint8Array;
  export function compress(bytes: Uint8Array): Uint8Array;
}

declare module 'snappyjs' {
  export function uncompress(block: Uint8Array, maxLength: number): Uint8Array;
  export function compress(bytes: Uint8Array): Uint8Array;
}
