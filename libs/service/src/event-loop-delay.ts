import type { Clock, Meter, Timer } from '@niobe/kernel';

/** How often the delay is probed, in milliseconds: 50 observations a second. */
const PROBE_MS = 20;

const BUCKETS_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

/** Measures how late a timer fires: the time any request waits for the thread. */
export function measureEventLoopDelay(clock: Clock, meter: Meter): Timer {
  const delays = meter.histogram(
    'event_loop_delay_seconds',
    'How late a timer fires in this process.',
    BUCKETS_SECONDS,
  );
  let dueMs = clock.monotonicMs() + PROBE_MS;
  let timer = clock.after(PROBE_MS, probe, true);
  function probe(): void {
    const nowMs = clock.monotonicMs();
    delays.observe(Math.max(0, nowMs - dueMs) / 1000);
    dueMs = nowMs + PROBE_MS;
    timer = clock.after(PROBE_MS, probe, true);
  }
  return { cancel: () => timer.cancel() };
}
