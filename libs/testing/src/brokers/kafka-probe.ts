/**
 * Asks a Kafka broker whether it serves, in the broker's own protocol: every request and answer is a length (int32)
 * and a body; a request's body begins with API key, API version (int16), correlation id (int32) and client id.
 */
import { exchange } from './tcp-exchange.ts';

const CLIENT_ID = Buffer.from('niobe-probe');
const CORRELATION_ID = 1;
const API_VERSIONS = 18;
const METADATA = 3;
const LENGTH_BYTES = 4;
const CORRELATION_BYTES = 4;
/** Metadata version 1 asks with an empty array for brokers only, without any topic. */
const NO_TOPICS = Buffer.alloc(4);

/** True if the broker on this port of 127.0.0.1 answers and counts itself as alive in the cluster. */
export async function kafkaServes(port: number): Promise<boolean> {
  // Error code, then the supported requests.
  const versions = await ask(port, API_VERSIONS, 0, Buffer.alloc(0));
  if (versions.readInt16BE(0) !== 0) return false;
  // The answer begins with the number of brokers; a broker that is still fenced is not among them.
  const metadata = await ask(port, METADATA, 1, NO_TOPICS);
  return metadata.readInt32BE(0) > 0;
}

async function ask(port: number, apiKey: number, apiVersion: number, body: Buffer): Promise<Buffer> {
  const answer = await exchange(port, request(apiKey, apiVersion, body), isWhole);
  return answer.subarray(LENGTH_BYTES + CORRELATION_BYTES);
}

function request(apiKey: number, apiVersion: number, body: Buffer): Buffer {
  const header = Buffer.alloc(LENGTH_BYTES + 10);
  header.writeInt32BE(10 + CLIENT_ID.length + body.length, 0);
  header.writeInt16BE(apiKey, 4);
  header.writeInt16BE(apiVersion, 6);
  header.writeInt32BE(CORRELATION_ID, 8);
  header.writeInt16BE(CLIENT_ID.length, 12);
  return Buffer.concat([header, CLIENT_ID, body]);
}

function isWhole(bytes: Buffer): boolean {
  return bytes.length >= LENGTH_BYTES && bytes.length >= LENGTH_BYTES + bytes.readInt32BE(0);
}
