import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import kafkajs from 'kafkajs';
import lz4 from 'lz4js';
import { decodeSnappy } from './snappy-framing.ts';

/**
 * The compressions of Kafka, for reading: producers of others, and topics with a `compression.type`, may use any
 * of them, and one batch that cannot be read would stop its partition. kafkajs has gzip only, and without a bound. Niobe writes its own
 * records uncompressed.
 */

/** Bound of what one compressed batch may become. */
export const INFLATED_BYTES_LIMIT: number = 64 * 1024 * 1024;

/** What kafkajs wants of a codec. */
export interface Codec {
  compress(): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

function readOnly(inflate: (bytes: Buffer) => Uint8Array): Codec {
  return {
    compress: () => Promise.reject(new Error('records are written uncompressed')),
    decompress: async (bytes) => asBuffer(inflate(bytes)),
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function inflateLz4(bytes: Buffer): Uint8Array {
  const bound = lz4.decompressBound(bytes);
  if (bound > INFLATED_BYTES_LIMIT)
    throw new Error(`an LZ4 frame of up to ${bound} bytes exceeds ${INFLATED_BYTES_LIMIT}`);
  return Uint8Array.from(lz4.decompress(bytes, bound));
}

/** By Kafka's name. Each throws for bytes that are none of its own, and beyond {@link INFLATED_BYTES_LIMIT}. */
export const CODECS: Readonly<Record<'gzip' | 'zstd' | 'snappy' | 'lz4', Codec>> = {
  gzip: readOnly((bytes) => gunzipSync(bytes, { maxOutputLength: INFLATED_BYTES_LIMIT })),
  zstd: readOnly((bytes) => zstdDecompressSync(bytes, { maxOutputLength: INFLATED_BYTES_LIMIT })),
  snappy: readOnly((bytes) => decodeSnappy(bytes, INFLATED_BYTES_LIMIT)),
  lz4: readOnly(inflateLz4),
};

/** Makes the codecs known to kafkajs; it keeps them for the whole process. */
export function registerCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  CompressionCodecs[CompressionTypes.GZIP] = () => CODECS.gzip;
  CompressionCodecs[CompressionTypes.ZSTD] = () => CODECS.zstd;
  CompressionCodecs[CompressionTypes.Snappy] = () => CODECS.snappy;
  CompressionCodecs[CompressionTypes.LZ4] = () => CODECS.lz4;
}
