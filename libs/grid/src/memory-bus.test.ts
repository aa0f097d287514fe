import { describe, expect, it } from '@jest/globals';
import { ManualClock, seededRandom, systemClock } from '@niobe/kernel';
import { busContract } from '@niobe/testing';
import { MemoryNetwork, type MemoryBus } from './memory-bus.ts';

busContract('MemoryBus', async () => {
  const network = new MemoryNetwork({ clock: systemClock });
  const buses: MemoryBus[] = [];
  return {
    connect: async () => {
      const bus = network.connect();
      buses.push(bus);
      return bus;
    },
    cut: async () => buses.forEach((bus) => bus.disconnect()),
    mend: async () => buses.forEach((bus) => bus.reconnect()),
    close: async () => undefined,
  };
});

describe('MemoryNetwork with faults', () => {
  /** How many of 1,000 published messages arrive, and how many of them out of order. */
  function arrivals(faults: object): { arrived: number; disordered: number } {
    const clock = new ManualClock();
    const network = new MemoryNetwork({ clock, random: seededRandom(7), faults });
    const got: number[] = [];
    network.connect().subscribe('s', (message) => got.push(message.payload[0]! * 256 + message.payload[1]!));
    const sender = network.connect();
    for (let i = 0; i < 1000; i++) sender.publish('s', Uint8Array.of(i >> 8, i & 255));
    clock.advance(1000);
    return { arrived: got.length, disordered: got.filter((n, i) => i > 0 && n < got[i - 1]!).length };
  }

  it('loses nothing without them', () => {
    expect(arrivals({})).toEqual({ arrived: 1000, disordered: 0 });
  });

  it('drops, doubles and delays as often as asked, and the same for the same seed', () => {
    const dropped = arrivals({ dropChance: 0.3 });
    expect(dropped.arrived).toBeGreaterThan(600);
    expect(dropped.arrived).toBeLessThan(800);
    expect(arrivals({ dropChance: 0.3 })).toEqual(dropped);
    expect(arrivals({ duplicateChance: 0.5 }).arrived).toBeGreaterThan(1400);
    const delayed = arrivals({ delayChance: 0.5, delayMsMax: 50 });
    expect(delayed.arrived).toBe(1000);
    expect(delayed.disordered).toBeGreaterThan(20);
  });

  it('ends a request whose message was dropped at its deadline', async () => {
    const clock = new ManualClock();
    const network = new MemoryNetwork({ clock, random: seededRandom(1), faults: { dropChance: 1 } });
    network.connect().subscribe('s', (message) => message.reply(message.payload));
    const asked = network.connect().request('s', Uint8Array.of(1), { deadlineMs: 100 });
    clock.advance(100);
    await expect(asked).rejects.toMatchObject({ code: 'DEADLINE' });
  });
});
