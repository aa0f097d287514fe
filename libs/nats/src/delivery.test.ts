import { describe, expect, it } from '@jest/globals';
import { readDelivery } from './delivery.ts';

describe('readDelivery', () => {
  const delivery = { streamSequence: 7, deliverySequence: 3, pending: 2 };

  it('reads both forms of the reply subject', () => {
    expect(readDelivery('$JS.ACK.KV_x.watch.1.7.3.1700000000000000000.2')).toEqual(delivery);
    expect(readDelivery('$JS.ACK._.hash.KV_x.watch.1.7.3.1700000000000000000.2')).toEqual(delivery);
    expect(readDelivery('$JS.ACK._.hash.KV_x.watch.1.7.3.1700000000000000000.2.token')).toEqual(delivery);
  });

  it('takes nothing else', () => {
    for (const reply of [
      '',
      '_INBOX.x',
      '$JS.ACK',
      '$JS.ACK.a.b.1.x.3.4.5',
      '$JS.ACK.a.b.1.2.3.4',
      '$JS.ACK.a.b.1.2.3.4.5.6',
    ])
      expect(readDelivery(reply)).toBeNull();
  });
});
