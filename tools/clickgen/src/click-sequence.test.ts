import { describe, expect, it } from '@jest/globals';
import { ClickSequence, type Click } from './click-sequence.ts';

function take(seed: number, count: number): Click[] {
  const sequence = new ClickSequence(seed);
  return Array.from({ length: count }, () => sequence.next());
}

describe('ClickSequence', () => {
  it('is the same for the same seed and another for another', () => {
    expect(take(5, 2_000)).toEqual(take(5, 2_000));
    expect(take(5, 100)).not.toEqual(take(6, 100));
  });

  it('carts only what the user viewed and sells only what was carted, with the same quantity and price', () => {
    const open = new Map<string, number>();
    for (const { type, data } of take(1, 50_000)) {
      const view = `${data.user} views ${data.product}`;
      const cart = `${data.user} carts ${data.quantity} ${data.product} at ${data.price}`;
      if (type === 'page_view') open.set(view, (open.get(view) ?? 0) + 1);
      if (type === 'add_to_cart') {
        expect(open.get(view)).toBeGreaterThan(0);
        open.set(cart, (open.get(cart) ?? 0) + 1);
      }
      if (type === 'purchase') {
        expect(open.get(cart)).toBeGreaterThan(0);
        open.set(cart, open.get(cart)! - 1);
      }
    }
  });

  it('has more views than carts and more carts than purchases', () => {
    const counts = { page_view: 0, add_to_cart: 0, purchase: 0 };
    for (const { type } of take(2, 20_000)) counts[type] += 1;
    expect(counts.purchase).toBeGreaterThan(500);
    expect(counts.add_to_cart).toBeGreaterThan(1.5 * counts.purchase);
    expect(counts.page_view).toBeGreaterThan(3 * counts.add_to_cart);
  });

  it('keeps the country of a user and the price of a product', () => {
    const facts = new Map<string, string>();
    for (const { data } of take(3, 20_000)) {
      for (const [subject, fact] of [
        [data.user, data.country],
        [data.product, data.price],
      ] as const) {
        if (fact === undefined) continue;
        expect(facts.get(subject) ?? fact).toBe(fact);
        facts.set(subject, fact);
      }
    }
  });

  it('gives prices with two places', () => {
    const prices = take(4, 5_000).flatMap(({ data }) => (data.price === undefined ? [] : [data.price]));
    expect(prices.filter((price) => !/^\d{1,3}\.\d\d$/.test(price))).toEqual([]);
    expect(new Set(prices).size).toBeGreaterThan(50);
  });
});
