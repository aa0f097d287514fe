import { parseArgs } from 'node:util';
import { messageOf, randomHex, systemClock, systemRandom, every } from '@niobe/kernel';
import { ClickGenerator } from './click-generator.ts';
import { CollectorClient } from './collector-client.ts';

/** The click generator as a command: data of one shop, sent to a collector until stopped. */

const HELP = `usage: clickgen [options]

Sends clicks of a shop (page_view, add_to_cart, purchase) to the collector until Ctrl-C.

  --url URL     collector (default http://127.0.0.1:7700)
  --rate N      events a second (default 500)
  --count N     stop after N events (default: never)
  --seed N      the same seed gives the same clicks (default 1)
  --run NAME    part of every event id; the same name and seed repeat the same ids,
                which are then counted once (default: random)
  --help        this text
`;

const REPORT_EVERY_MS = 5_000;
const EXIT_USAGE = 64;
const EXIT_FAILED = 1;

interface Options {
  readonly url: string;
  readonly rate: number;
  readonly count: number;
  readonly seed: number;
  readonly run: string;
}

/** The options, or null where the help was asked for. Throws with one line on anything that cannot be used. */
function readOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      url: { type: 'string', default: 'http://127.0.0.1:7700' },
      rate: { type: 'string', default: '500' },
      count: { type: 'string' },
      seed: { type: 'string', default: '1' },
      run: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  if (!URL.canParse(values.url)) throw new Error(`--url ${values.url} is not a URL`);
  return {
    url: values.url,
    rate: wholeNumber('--rate', values.rate, 1),
    count: values.count === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--count', values.count, 1),
    seed: wholeNumber('--seed', values.seed, 0),
    run: values.run ?? randomHex(systemRandom(), 8),
  };
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) {
    throw new Error(`${option} ${text} is not a whole number of at least ${least}`);
  }
  return value;
}

function reportLine(generator: ClickGenerator, client: CollectorClient): string {
  const { events, byType } = generator.acknowledged;
  const types = [...byType].map(([type, count]) => `${type} ${count}`).join(', ');
  const trouble = client.trouble === '' ? '' : `; waiting: ${client.trouble}`;
  return `acknowledged ${events} of ${generator.generated} (${types}), rejected ${generator.rejected}${trouble}`;
}

/** On the first signal no more events are made; those on their way are answered first. On the second they are given up. */
function stopOnSignals(generator: ClickGenerator, client: CollectorClient): void {
  let signals = 0;
  const stop = (): void => {
    signals += 1;
    generator.stop();
    if (signals > 1 || client.trouble !== '') client.close();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

async function run(options: Options): Promise<number> {
  const client = new CollectorClient({ url: options.url, clock: systemClock });
  const generator = new ClickGenerator({
    seed: options.seed,
    ratePerSecond: options.rate,
    count: options.count,
    run: options.run,
    target: client,
    clock: systemClock,
  });
  stopOnSignals(generator, client);
  console.log(`sending ${options.rate} events/s to ${options.url}, seed ${options.seed}, run ${options.run}`);
  const reports = every(systemClock, REPORT_EVERY_MS, () => console.log(reportLine(generator, client)));
  try {
    await generator.run();
  } finally {
    reports.cancel();
    console.log(reportLine(generator, client));
  }
  const { firstRejection } = generator;
  if (firstRejection === null) return 0;
  console.error(`first rejected: ${firstRejection.code} ${firstRejection.path} ${firstRejection.detail}`);
  return EXIT_FAILED;
}

async function main(args: readonly string[]): Promise<number> {
  let options: Options | null;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`clickgen: ${messageOf(error)}; see --help`);
    return EXIT_USAGE;
  }
  if (options === null) {
    console.log(HELP);
    return 0;
  }
  try {
    return await run(options);
  } catch (error) {
    console.error(`clickgen: ${messageOf(error)}`);
    return EXIT_FAILED;
  }
}

process.exitCode = await main(process.argv.slice(2));
