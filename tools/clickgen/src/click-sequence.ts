import { mix32, seededRandom, type Random } from '@niobe/kernel';
import { Zipf } from './zipf.ts';

/**
 * The endless sequence of clicks of a shop, the same for the same seed.
 *
 * A visitor opens a session and views some products. After a view the product may go to the cart, and from there be bought.
 * Many sessions are open at a time, so that the steps of one are spread among those of others. Users and products follow Zipf's
 * law; a user's country and a product's price never change.
 */

export type ClickType = 'page_view' | 'add_to_cart' | 'purchase';

/** One click without its identity and time, which belong to the run that sends it. */
export interface Click {
  readonly type: ClickType;
  readonly data: {
    readonly user: string;
    readonly product: string;
    readonly country: string;
    /** Only where something is put in the cart or bought. */
    readonly quantity?: number;
    /** Of one piece, as decimal text with two places. */
    readonly price?: string;
  };
}

const USERS = 10_000;
const PRODUCTS = 1_000;
const USER_EXPONENT = 0.8;
const PRODUCT_EXPONENT = 1;
const OPEN_SESSIONS = 256;
const VIEWS_MAX = 12;
const QUANTITY_MAX = 4;
const CART_AFTER_VIEW = 0.25;
const PURCHASE_AFTER_CART = 0.5;
/** Weighted by repetition. */
const COUNTRIES = ['DE', 'DE', 'DE', 'FR', 'FR', 'GB', 'GB', 'NL', 'ES', 'IT', 'PL', 'SE'] as const;

interface Session {
  readonly user: number;
  viewsLeft: number;
  next: ClickType;
  product: number;
  quantity: number;
}

export class ClickSequence {
  readonly #random: Random;
  readonly #users = new Zipf(USERS, USER_EXPONENT);
  readonly #products = new Zipf(PRODUCTS, PRODUCT_EXPONENT);
  readonly #sessions: (Session | undefined)[] = Array.from({ length: OPEN_SESSIONS });

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  next(): Click {
    const slot = this.#random.below(OPEN_SESSIONS);
    const session = this.#sessions[slot] ?? this.#open();
    const click = this.#step(session);
    this.#sessions[slot] = session.viewsLeft === 0 && session.next === 'page_view' ? undefined : session;
    return click;
  }

  #open(): Session {
    return {
      user: this.#users.draw(this.#random),
      viewsLeft: 1 + this.#random.below(VIEWS_MAX),
      next: 'page_view',
      product: 0,
      quantity: 0,
    };
  }

  #step(session: Session): Click {
    switch (session.next) {
      case 'page_view':
        session.viewsLeft -= 1;
        session.product = this.#products.draw(this.#random);
        if (this.#random.next() < CART_AFTER_VIEW) session.next = 'add_to_cart';
        return { type: 'page_view', data: subject(session) };
      case 'add_to_cart':
        session.quantity = 1 + this.#random.below(QUANTITY_MAX);
        session.next = this.#random.next() < PURCHASE_AFTER_CART ? 'purchase' : 'page_view';
        return { type: 'add_to_cart', data: { ...subject(session), ...amount(session) } };
      case 'purchase':
        session.next = 'page_view';
        return { type: 'purchase', data: { ...subject(session), ...amount(session) } };
    }
  }
}

function subject(session: Session): { user: string; product: string; country: string } {
  return {
    user: `u${String(session.user).padStart(5, '0')}`,
    product: `p${String(session.product).padStart(4, '0')}`,
    country: COUNTRIES[mix32(session.user) % COUNTRIES.length]!,
  };
}

function amount(session: Session): { quantity: number; price: string } {
  return { quantity: session.quantity, price: (priceCents(session.product) / 100).toFixed(2) };
}

/** 0.99 to 199.99, skewed to the cheap end. */
function priceCents(product: number): number {
  const skew = (mix32(product + 1) / 0x1_0000_0000) ** 3;
  return 99 + 100 * Math.floor(skew * 200);
}
