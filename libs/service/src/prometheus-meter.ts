import { assert, type Counter, type Histogram, type Labels, type Meter } from '@niobe/kernel';
import {
  collectDefaultMetrics,
  Counter as PromCounter,
  Gauge,
  Histogram as PromHistogram,
  Registry,
} from 'prom-client';

/**
 * Binds the kernel's `Meter` to prom-client. Names become `niobe_<service>_<name>`; label values are fixed when a metric is declared,
 * so the number of series is known and bounded: no value of an event can become a series.
 */

/** Bound of declared series; with the process's own the page stays under 1,000. */
const SERIES_LIMIT = 900;

/** A noun and a unit at least. */
const NAME = /^[a-z][a-z0-9]*(_[a-z0-9]+)+$/;

/** Endings that mean counters and parts of histograms. */
const RESERVED_ENDING = /_(total|count|sum|bucket)$/;

/** Gauges that prom-client names like counters, which `promtool check metrics` refuses. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

interface GaugeFamily {
  readonly gauge: Gauge;
  readonly readers: { readonly labels: Labels; readonly read: () => number }[];
}

/** Metrics of one service and the page that shows them. */
export class PrometheusMeter implements Meter {
  readonly #prefix: string;
  readonly #registry = new Registry();
  readonly #counters = new Map<string, PromCounter>();
  readonly #histograms = new Map<string, PromHistogram>();
  readonly #gauges = new Map<string, GaugeFamily>();
  readonly #declared = new Set<string>();
  #series = 0;

  /** @param service `storage-shard` gives names that begin with `niobe_storage_shard_`. */
  constructor(service: string) {
    this.#prefix = `niobe_${service.replaceAll('-', '_')}_`;
  }

  /** Adds what Node and the system say of this process; once a process. */
  collectProcessMetrics(): void {
    collectDefaultMetrics({ register: this.#registry });
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name);
  }

  /** Media type of {@link page}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in Prometheus' text format. */
  page(): Promise<string> {
    return this.#registry.metrics();
  }

  counter(name: string, help: string, labels: Labels = {}): Counter {
    assert(name.endsWith('_total'), `counter ${name} ends in _total`);
    this.#declare(name, labels, 1);
    const counter = found(this.#counters, name, () => new PromCounter(this.#options(name, help, labels)));
    const series = counter.labels(labels);
    series.inc(0);
    return { add: (amount) => series.inc(amount) };
  }

  gauge(name: string, help: string, read: () => number, labels: Labels = {}): void {
    assert(
      !RESERVED_ENDING.test(name),
      `gauge ${name} ends in its unit: promtool keeps _total, _count, _sum, _bucket for others`,
    );
    const first = this.#declare(name, labels, 1);
    const family = found(this.#gauges, name, () => this.#gaugeFamily(name, help, labels));
    if (first) family.readers.push({ labels, read });
  }

  histogram(name: string, help: string, buckets: readonly number[], labels: Labels = {}): Histogram {
    this.#declare(name, labels, buckets.length + 3);
    const options = { ...this.#options(name, help, labels), buckets: [...buckets] };
    const histogram = found(this.#histograms, name, () => new PromHistogram(options));
    histogram.zero(labels);
    const series = histogram.labels(labels);
    return { observe: (value) => series.observe(value) };
  }

  #gaugeFamily(name: string, help: string, labels: Labels): GaugeFamily {
    const readers: GaugeFamily['readers'] = [];
    const collect = (): void => {
      for (const { labels: at, read } of readers) gauge.set(at, read());
    };
    const gauge = new Gauge({ ...this.#options(name, help, labels), collect });
    return { gauge, readers };
  }

  #options(
    name: string,
    help: string,
    labels: Labels,
  ): { name: string; help: string; labelNames: string[]; registers: Registry[] } {
    return { name: this.#prefix + name, help, labelNames: Object.keys(labels), registers: [this.#registry] };
  }

  /** True the first time this name is declared with these labels. */
  #declare(name: string, labels: Labels, series: number): boolean {
    assert(NAME.test(name), `metric ${name} is <noun>_<unit> in lower case`);
    const key = `${name}${JSON.stringify(labels)}`;
    if (this.#declared.has(key)) return false;
    this.#declared.add(key);
    this.#series += series;
    assert(this.#series <= SERIES_LIMIT, `a service declares at most ${SERIES_LIMIT} series`);
    return true;
  }
}

function found<T>(known: Map<string, T>, name: string, make: () => T): T {
  const present = known.get(name);
  if (present !== undefined) return present;
  const made = make();
  known.set(name, made);
  return made;
}
