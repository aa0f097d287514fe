import { systemClock, until } from '@niobe/kernel';
import { parseExposition } from '../metrics/exposition.ts';
import type { ServiceProcess } from '../system/service-process.ts';

const DEADLINE_MS = 300_000;
const LOOK_MS = 25;
const EVENTS = 'niobe_ingest_loader_events_total';
const LAG = 'niobe_ingest_loader_lag_records';

/** Waits until a loader that was started on a full topic has taken `events` of it and has nothing left. */
export async function untilLoaded(loader: ServiceProcess, events: number): Promise<void> {
  const loaded = async (): Promise<boolean> => {
    const series = parseExposition(await (await fetch(`${loader.url}/metrics`)).text());
    const sum = (wanted: string): number =>
      series.filter(({ name }) => name === wanted).reduce((total, { value }) => total + value, 0);
    return sum(EVENTS) >= events && sum(LAG) === 0;
  };
  await until(systemClock, loaded, DEADLINE_MS, `${events} events loaded`, LOOK_MS);
}
