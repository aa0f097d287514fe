import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@niobe/kernel';
import { PlainView, statusLine } from './plain-view.ts';
import type { Snapshot } from './snapshot.ts';

const snapshot: Snapshot = {
  services: [
    { name: 'ingest', url: '', ready: true, reason: '', memoryBytes: null },
    { name: 'shard-0', url: '', ready: false, reason: 'restarting', memoryBytes: null },
  ],
  eventsPerSecond: 499.6,
  consumerLag: 12,
  cells: 12_345,
  vertices: 2_000,
  edges: 7_654,
  top: { dimension: 'product', measure: 'events', sinceMs: 0, groups: [{ name: 'p0001', count: 1_042 }] },
};

describe('PlainView', () => {
  it('gives the ready line together with the commands, then a status every ten seconds until it ends', () => {
    const clock = new ManualClock();
    const written: string[] = [];
    const view = new PlainView(clock, (line) => written.push(line));
    view.step('starting');
    view.ready({
      title: 'deployment shop',
      startSeconds: 9.87,
      commands: [
        { title: 'post an event', line: 'curl post' },
        { title: 'see it counted', line: 'curl count' },
      ],
      notes: ['logs here'],
    });
    view.show(snapshot);
    expect(written).toEqual([
      'starting',
      'ready in 9.9 s: deployment shop\nlogs here\npost an event:\n  curl post\nsee it counted:\n  curl count',
    ]);
    clock.advance(20_000);
    expect(written.slice(2)).toEqual([statusLine(snapshot), statusLine(snapshot)]);
    view.endLive();
    clock.advance(60_000);
    expect(written).toHaveLength(4);
  });

  it('shows a death with its last words and what comes next', () => {
    const written: string[] = [];
    const view = new PlainView(new ManualClock(), (line) => written.push(line));
    view.death('shard-0', { how: 'exit code 78', lastLines: ['bad configuration'], restartMs: null });
    expect(written).toEqual(['shard-0 ended (exit code 78); not started again', '  | bad configuration']);
  });
});

describe('statusLine', () => {
  it('names what is not ready, the flow and the top', () => {
    expect(statusLine(snapshot)).toBe(
      '1 of 2 ready (shard-0: restarting); 500 events/s, lag 12, 12,345 cells, 2,000 vertices, 7,654 edges; top product since 00:00 UTC: p0001 1,042',
    );
  });

  it('says nothing it does not know', () => {
    const ready = snapshot.services.slice(0, 1);
    const unknown = { eventsPerSecond: null, consumerLag: null, cells: null, vertices: null, edges: null, top: null };
    expect(statusLine({ services: ready, ...unknown })).toBe('1 of 1 ready; - events/s, lag -, - cells');
  });
});
