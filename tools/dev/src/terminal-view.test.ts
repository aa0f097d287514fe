import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@niobe/kernel';
import { paintFor } from './paint.ts';
import type { Snapshot } from './snapshot.ts';
import { TerminalView } from './terminal-view.ts';

const facts = {
  title: 'deployment shop',
  startSeconds: 12.34,
  commands: [
    { title: 'post an event', line: `curl ${'x'.repeat(100)}` },
    { title: 'see it counted', line: 'curl count' },
  ],
  notes: ['logs .niobe/local/logs'],
};
const snapshot: Snapshot = {
  services: [
    { name: 'shard-0', url: 'http://127.0.0.1:7720', ready: true, reason: '', memoryBytes: 87_400_000 },
    { name: 'nats', url: 'nats://127.0.0.1:7740', ready: false, reason: 'restarting', memoryBytes: null },
  ],
  eventsPerSecond: 512.3,
  consumerLag: 1_234,
  cells: null,
  vertices: 2_000,
  edges: 7_654,
  top: {
    dimension: 'product',
    measure: 'events',
    sinceMs: 0,
    groups: [
      { name: 'p0001', count: 42 },
      { name: 'p0002', count: 20 },
    ],
  },
};

/** The lines in the order in which they were written, without colours. */
function shownLines(written: string): string[] {
  // oxlint-disable-next-line no-control-regex -- escape sequences are what is taken out
  const plain = written.replaceAll(/\u001B\[[\d;]*m/g, '');
  return plain.split(/\u001B\[\d+;1H\u001B\[2K/).slice(1); // oxlint-disable-line no-control-regex -- the beginnings of lines
}

describe('TerminalView', () => {
  let written: string;
  const terminal = { rows: 40, columns: 80, write: (text: string) => void (written += text) };
  beforeEach(() => void (written = ''));

  const view = (colours = false): TerminalView => {
    const live = new TerminalView(terminal, new ManualClock(0), paintFor(colours));
    live.ready(facts);
    return live;
  };

  it('shows the whole system', () => {
    view().show(snapshot);
    expect(shownLines(written)).toEqual([
      'niobe  deployment shop',
      'ready in 12.3 s; Ctrl-C stops everything',
      '',
      'events/s     lag          cells        vertices     edges',
      '512          1,234        -            2,000        7,654        █',
      '',
      'shard-0     http://127.0.0.1:7720      87 MB  ● ready',
      'nats        nats://127.0.0.1:7740          -  ○ not ready: restarting',
      '',
      'top product by events since 00:00 UTC',
      'p0001             42  ████████████████████',
      'p0002             20  ██████████',
      '',
      'post an event',
      `  curl ${'x'.repeat(100)}`,
      'see it counted',
      '  curl count',
      '',
      'logs .niobe/local/logs',
    ]);
  });

  it('sets services and top side by side where the terminal is wide enough, with colours too', () => {
    const wide = new TerminalView({ ...terminal, columns: 120 }, new ManualClock(0), paintFor(true));
    wide.ready(facts);
    wide.show(snapshot);
    const lines = shownLines(written);
    expect(lines[6]).toBe(
      'shard-0     http://127.0.0.1:7720      87 MB  ● ready                     top product by events since 00:00 UTC',
    );
    expect(lines[8]!.trim()).toBe('p0002             20  ██████████');
  });

  it('draws the rates of the last looks', () => {
    const live = view();
    for (const eventsPerSecond of [100, 0, 50, null, 100]) live.show({ ...snapshot, eventsPerSecond });
    expect(shownLines(written).at(-1)).toMatch(/^100 .* █▁▅█$/);
  });

  it('writes only lines that changed, so that a selection survives', () => {
    const live = view();
    live.show(snapshot);
    written = '';
    live.show(snapshot);
    expect(shownLines(written)).toEqual([expect.stringMatching(/^512 .*██$/)]);
    written = '';
    live.show({ ...snapshot, eventsPerSecond: 7 });
    expect(shownLines(written)).toEqual([expect.stringMatching(/^7 .*██▁$/)]);
    expect(written).not.toContain('curl');
  });

  it('leaves a long command in one piece, for the terminal to wrap', () => {
    view().show(snapshot);
    expect(written).toContain(`  curl ${'x'.repeat(100)}`);
  });

  it('keeps to the height of the terminal', () => {
    const live = new TerminalView({ ...terminal, rows: 6 }, new ManualClock(0), paintFor(true));
    live.ready(facts);
    live.show(snapshot);
    const rows = [...written.matchAll(/\[(\d+);1H/g)].map((match) => Number(match[1]));
    expect(Math.max(...rows)).toBeLessThan(6);
  });

  it('shows a death with its last words, also before the live screen', () => {
    const death = { how: 'killed by SIGKILL', lastLines: ['info done'], restartMs: 500 };
    const live = view();
    live.death('shard-0', death);
    live.show(snapshot);
    expect(written).toContain('00:00 shard-0 ended (killed by SIGKILL); starting again in 0.5 s');
    expect(written).toContain('  | info done');
    written = '';
    new TerminalView(terminal, new ManualClock(0), paintFor(false)).death('shard-0', death);
    expect(written).toBe('shard-0 ended (killed by SIGKILL); starting again in 0.5 s\n  | info done\n');
  });
});
