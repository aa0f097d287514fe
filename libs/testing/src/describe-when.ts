import { describe, it } from './jest-globals.ts';
import { brokerSources } from './brokers/broker-sources.ts';
import { dataFile } from './data-file.ts';

/**
 * `describe` for tests that need something of the machine. Without it they are counted as skipped, with the reason in
 * their title as `[skipped: <why>]`; where `CI=true` they fail instead, because there it must not go unnoticed.
 * @param missing why the tests cannot run, or null.
 */
export function describeWhen(missing: string | null, title: string, body: () => void): void {
  if (missing === null) describe(title, body);
  else if (process.env['CI'] === 'true') describe(title, () => it('has what it needs', () => fail(missing)));
  else describe.skip(`${title} [skipped: ${missing}]`, body);
}

/** `describe` for tests that need a NATS, of whatever source. */
export function describeWithNats(title: string, body: () => void): void {
  describeWhen(reasonAgainst(brokerSources().nats, ['given', 'binary', 'docker']), title, body);
}

/** `describe` for tests that start, kill and restart their own NATS. */
export function describeWithLocalNats(title: string, body: () => void): void {
  describeWhen(reasonAgainst(brokerSources().nats, ['binary']), title, body);
}

/** `describe` for tests that need a Kafka, of whatever source. */
export function describeWithKafka(title: string, body: () => void): void {
  describeWhen(reasonAgainst(brokerSources().kafka, ['given', 'jars', 'docker']), title, body);
}

/** `describe` for tests that start, kill and restart their own Kafka. */
export function describeWithLocalKafka(title: string, body: () => void): void {
  describeWhen(reasonAgainst(brokerSources().kafka, ['jars']), title, body);
}

/** `describe` for tests that read a public data set; `body` gets its path (empty where the tests are skipped). */
export function describeWithData(name: string, title: string, body: (path: string) => void): void {
  const { path, why } = dataFile(name);
  if (path === null) describe.skip(`${title} [skipped: ${why}]`, () => body(''));
  else describe(title, () => body(path));
}

function reasonAgainst(
  source: { readonly kind: string; readonly why: string },
  kinds: readonly string[],
): string | null {
  if (kinds.includes(source.kind)) return null;
  return source.kind === 'none' ? source.why : `needs a broker it may kill, and there is ${source.why}`;
}

function fail(missing: string): never {
  throw new Error(missing);
}
