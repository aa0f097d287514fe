import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@niobe/kernel';
import type { Snapshot } from './snapshot.ts';
import { TerminalView } from './terminal-view.ts';

const facts = {
  title: 'deployment shop',
  startSeconds: 12.34,
  commands: { post: `curl ${'x'.repeat(100)}`, count: 'curl count', top: 'curl top' },
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
  top: { dimension: 'product', measure: 'events', sinceMs: 0, groups: [{ name: 'p0001', count: 42 }] },
};

describe('TerminalView', () => {
  let written: string;
  const terminal = { rows: 40, columns: 80, write: (text: string) => void (written += text) };
  beforeEach(() => void (written = ''));

  const view = (): TerminalView => {
    const live = new TerminalView(terminal, new ManualClock(0));
    live.ready(facts);
    return live;
  };

  it('shows the whole system', () => {
    view().show(snapshot);
    // oxlint-disable-next-line no-control-regex -- escape sequences are what is taken out
    const text = written.replaceAll(/\u001B\[[?\d;]*[A-Za-z]/g, '\n');
    for (const line of [
      'niobe: deployment shop; ready in 12.3 s; Ctrl-C stops everything',
      'shard-0     http://127.0.0.1:7720      87 MB  ready',
      'nats        nats://127.0.0.1:7740          -  not ready: restarting',
      'events/s 512   consumer lag 1,234   cells -',
      'top product by events since 00:00 UTC',
      '  p0001             42',
      '  curl count',
      'logs .niobe/local/logs',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  });

  it('writes only lines that changed, so that a selection survives', () => {
    const live = view();
    live.show(snapshot);
    written = '';
    live.show(snapshot);
    expect(written).toBe('');
    live.show({ ...snapshot, eventsPerSecond: 7 });
    expect(written).toContain('events/s 7 ');
    expect(written).not.toContain('curl');
  });

  it('leaves a long command in one piece, for the terminal to wrap', () => {
    view().show(snapshot);
    expect(written).toContain(`  curl ${'x'.repeat(100)}`);
  });

  it('keeps to the height of the terminal', () => {
    const live = new TerminalView({ ...terminal, rows: 6 }, new ManualClock(0));
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
    new TerminalView(terminal, new ManualClock(0)).death('shard-0', death);
    expect(written).toBe('shard-0 ended (killed by SIGKILL); starting again in 0.5 s\n  | info done\n');
  });
});
