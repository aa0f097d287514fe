import { assert, seededRandom, type Random } from '@niobe/kernel';
import { BatchSender } from '../batch-sender.ts';
import type { Check } from '../check.ts';
import { CubeClient } from '../cube-client.ts';
import { retailLines } from '../retail/retail-lines.ts';
import { retailFile, retailSystem } from '../retail/retail-system.ts';
import type { LocalSystem } from '../system/local-system.ts';
import type { Verdict } from '../verdict.ts';
import { BAD_REQUESTS, type BadRequest } from './cases.ts';
import { FrameGarbage } from './frame-garbage.ts';
import { HttpGarbage } from './http-garbage.ts';
import { checkStoppedShard } from './stopped-shard.ts';
import { TopicGarbage } from './topic-garbage.ts';

const MUTATIONS = 10_000;
const VALID_EVENTS = 5_000;
const MAX_GROWTH_BYTES = 64 * 1024 * 1024;
const VISIBLE_DEADLINE_MS = 180_000;

/** What the outside may send by mistake or malice, and a shard that stands still. */
export const badInput: Check = {
  summary: 'every kind of bad request, 10,000 mutations of valid input, and a shard that stands still for a minute',
  async run(verdict, options) {
    const system = await retailSystem(options);
    verdict.note(`seed ${options.seed}, scratch folder ${system.dir}`);
    try {
      await system.start();
      for (const request of BAD_REQUESTS) await expectRefusal(verdict, system, request);
      await checkRepeatedEvent(verdict, system);
      await checkMutations(verdict, system, seededRandom(options.seed), options.runs ?? MUTATIONS);
      await checkStoppedShard(verdict, system);
    } finally {
      if (options.keep) await system.killAll();
      else await system.destroy();
    }
  },
};

async function expectRefusal(verdict: Verdict, system: LocalSystem, request: BadRequest): Promise<void> {
  const response = await fetch(`${system[request.to].url}${request.path}`, {
    method: request.method,
    headers: request.contentType === undefined ? {} : { 'content-type': request.contentType },
    ...(request.body === undefined ? {} : { body: request.body }),
  });
  const text = await response.text();
  const code = codeOf(text);
  const holds = response.status === request.status && code === request.code && text.includes(request.mentions ?? '');
  verdict.expect(
    holds,
    `${request.name}: ${request.status} ${request.code}`,
    holds ? '' : `${response.status} ${text.slice(0, 200)}`,
  );
}

function codeOf(text: string): string {
  try {
    return String((JSON.parse(text) as { code?: unknown }).code);
  } catch {
    return 'no JSON';
  }
}

/** One event posted again and again, also after every service was started anew: counted once. */
async function checkRepeatedEvent(verdict: Verdict, system: LocalSystem): Promise<void> {
  const cubes = new CubeClient(system.analytics.url);
  const [line] = await firstLines(1);
  assert(line !== undefined, 'the file has a row');
  for (const service of [null, system.ingest, system.analytics, ...system.shards, ...system.backups]) {
    await service?.kill();
    service?.start();
    await service?.ready();
    await postOne(system, line.json);
  }
  await sendValid(system, 1, 1);
  await cubes.reaches('sales', 'lines', 2, VISIBLE_DEADLINE_MS);
  const total = await cubes.total('sales', 'lines');
  verdict.expect(total === 2, 'a repeated event is counted once, across restarts of every service', `${total - 1}`);
}

async function postOne(system: LocalSystem, json: string): Promise<void> {
  const sender = new BatchSender({ url: system.ingest.url });
  await sender.add({ id: '', json });
  await sender.close();
}

async function firstLines(rows: number): Promise<readonly { id: string; json: string }[]> {
  const lines: { id: string; json: string }[] = [];
  for await (const line of retailLines(retailFile(), rows)) lines.push(line);
  return lines;
}

/** Sends `count` events of the file, from row `from` on. */
async function sendValid(system: LocalSystem, from: number, count: number): Promise<void> {
  const sender = new BatchSender({ url: system.ingest.url });
  for (const line of (await firstLines(from + count)).slice(from)) await sender.add(line);
  await sender.close();
}

async function checkMutations(verdict: Verdict, system: LocalSystem, random: Random, mutations: number): Promise<void> {
  const cubes = new CubeClient(system.analytics.url);
  const pids = system.services.map((service) => service.pid);
  const garbage = [
    await HttpGarbage.open(system, await firstLines(50)),
    await TopicGarbage.open(system, await firstLines(50)),
    await FrameGarbage.open(system),
  ];
  await runMutations(garbage, random, Math.floor(mutations / 10)); // warms what grows once: caches, compiled code
  const before = system.services.map((service) => service.residentBytes);
  await runMutations(garbage, random, mutations);
  const counted = garbage.reduce((sum, kind) => sum + kind.accepted, 0);
  await sendValid(system, 2, VALID_EVENTS);
  await cubes.reaches('sales', 'lines', 2 + counted + VALID_EVENTS, VISIBLE_DEADLINE_MS);
  const total = await cubes.total('sales', 'lines');
  for (const kind of garbage) {
    verdict.expect(
      kind.complaint === '',
      `${kind.name}: ${kind.sent} mutations, every answer as it should be`,
      kind.complaint,
    );
    await kind.close();
  }
  verdict.expect(
    total === 2 + counted + VALID_EVENTS,
    'counts equal the valid events',
    `${total}, of them ${counted} mutated and still valid`,
  );
  system.services.forEach((service, i) => {
    const grown = service.residentBytes - (before[i] ?? 0);
    verdict.expect(service.pid === pids[i], `${service.name} did not end`);
    verdict.expect(
      grown < MAX_GROWTH_BYTES,
      `${service.name}: memory grew less than 64 MiB`,
      `${Math.round(grown / 1024 / 1024)} MiB`,
    );
  });
}

async function runMutations(
  garbage: readonly { send(random: Random): Promise<void> }[],
  random: Random,
  count: number,
): Promise<void> {
  for (let i = 0; i < count; i++) await garbage[i % garbage.length]?.send(random);
}
