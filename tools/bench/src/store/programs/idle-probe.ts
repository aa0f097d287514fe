/** `idle-probe <seconds>`: as `probe`, in a thread that only waits: what the machine takes away by itself, in milliseconds. */
import { systemClock } from '@niobe/kernel';
import { probeWhile } from '../probe-clock.ts';

/** As long as a turn of a store's owner. */
const TURN_MS = 1;

const delays = await probeWhile(Number(process.argv[2]), () => {
  const endMs = systemClock.monotonicMs() + TURN_MS;
  while (systemClock.monotonicMs() < endMs);
});
console.log(JSON.stringify(delays));
