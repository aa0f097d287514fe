/** What the reply subject of a message from a consumer says of it; the format is NATS's ADR-15. */
export interface Delivery {
  /** Place in its stream: the revision of a bucket's entry. */
  readonly streamSequence: number;
  /** Count of what this consumer delivered, from 1. */
  readonly deliverySequence: number;
  /** Messages that are still to come. */
  readonly pending: number;
}

/** Tokens of `$JS.ACK.<stream>.<consumer>.<delivered>.<sseq>.<dseq>.<time>.<pending>`. */
const SHORT = 9;
/** The same with domain and account hash after `$JS.ACK`, and perhaps a random token at the end. */
const LONG = 11;

/** Reads a reply subject; null if it is not one of a consumer. */
export function readDelivery(reply: string): Delivery | null {
  const tokens = reply.split('.');
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK') return null;
  if (tokens.length !== SHORT && tokens.length < LONG) return null;
  const at = tokens.length === SHORT ? 5 : 7;
  const [streamSequence, deliverySequence, , pending] = tokens.slice(at, at + 4).map(Number);
  if (!Number.isInteger(streamSequence) || !Number.isInteger(deliverySequence) || !Number.isInteger(pending))
    return null;
  return { streamSequence: streamSequence!, deliverySequence: deliverySequence!, pending: pending! };
}
