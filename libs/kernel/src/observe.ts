/** What libraries know of logs and metrics: interfaces only. The service host binds them to pino and prom-client. */

/** Facts of one log line: ids and numbers, never user data. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** A structured logger; `component` is bound by the host. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
}

/** Label values of low cardinality, fixed at declaration. */
export type Labels = Readonly<Record<string, string>>;

/** A value that only rises. Cheap enough for one call per batch, not per item. */
export interface Counter {
  add(amount: number): void;
}

/** Counts of durations or sizes by bucket. */
export interface Histogram {
  observe(value: number): void;
}

/**
 * Declares metrics named `niobe_<service>_<noun>_<unit>`; the host adds `niobe_<service>_`.
 * Declaring the same name and labels twice gives the same metric.
 */
export interface Meter {
  counter(name: string, help: string, labels?: Labels): Counter;
  /** A value read when the exporter asks. */
  gauge(name: string, help: string, read: () => number, labels?: Labels): void;
  histogram(name: string, help: string, buckets: readonly number[], labels?: Labels): Histogram;
}

const nothing = (): void => undefined;

/** A logger that says nothing. */
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger,
};

/** A meter that measures nothing. */
export const silentMeter: Meter = {
  counter: () => ({ add: nothing }),
  gauge: nothing,
  histogram: () => ({ observe: nothing }),
};
