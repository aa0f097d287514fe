/**
 * Where each broker comes from, in this order: an address given by the environment, a good enough version on PATH,
 * the cache folder, provisioning into the cache folder, Docker, none.
 *
 * What was found goes to the command as the environment variable NIOBE_BROKERS (JSON), and to `brokers.json` in the
 * cache folder for tests that are started without set-up.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { removeLeftovers, withCache } from './cache.mjs';
import { dockerProblem } from './docker.mjs';
import * as kafka from './kafka.mjs';
import * as nats from './nats-server.mjs';
import { inCache } from './paths.mjs';
import { say, SetupError } from './setup-error.mjs';

const SOURCES = { nats, kafka };

/**
 * Finds or provisions both brokers and says in one line each what was found.
 * @param wish 'auto': none is an answer; 'real': none is an error; 'embedded': none are looked for.
 * @returns `{ nats, kafka }`, each `{ kind: 'given' | 'binary' | 'jars' | 'docker' | 'none', why, … }`.
 */
export async function prepareBrokers(wish) {
  if (wish === 'embedded') return sayAll({ nats: none('--brokers=embedded'), kafka: none('--brokers=embedded') });
  const found = await findAll();
  const missing = Object.keys(SOURCES).filter((name) => found[name].kind === undefined);
  if (missing.length > 0) await provisionAll(found, missing);
  sayAll(found);
  if (wish === 'real') requireAll(found);
  remember(found);
  return found;
}

async function findAll() {
  const names = Object.keys(SOURCES);
  const results = await Promise.all(names.map((name) => findOne(SOURCES[name])));
  return Object.fromEntries(names.map((name, index) => [name, results[index]]));
}

async function findOne(source) {
  const notes = [];
  return source.given() ?? (await source.find(notes)) ?? { notes };
}

async function provisionAll(found, missing) {
  const failures = {};
  try {
    await withCache('brokers', async () => {
      removeLeftovers();
      await Promise.all(missing.map(async (name) => (failures[name] = await provisionOne(name))));
    });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    for (const name of missing) failures[name] ??= error.message;
  }
  for (const name of missing) found[name] = await settle(SOURCES[name], found[name].notes, failures[name]);
}

async function provisionOne(name) {
  const source = SOURCES[name];
  // Another set-up may have provisioned it while this one waited for the lock.
  return (await source.find([])) ? null : source.provision((text) => say(name, text));
}

async function settle(source, notes, failure) {
  const found = failure === null ? await source.find([]) : null;
  if (found) return found;
  const problem = await dockerProblem();
  const reasons = [...new Set([...notes, failure ?? 'it did not start after provisioning', problem])].filter(Boolean);
  if (problem === null) return { kind: 'docker', why: `${source.title} in Docker (${reasons.join('; ')})` };
  return none(`no ${source.title}: ${reasons.join('; ')}`);
}

const none = (why) => ({ kind: 'none', why });

function sayAll(found) {
  for (const [name, { kind, why }] of Object.entries(found)) say(name, kind === 'none' ? `none (${why})` : why);
  return found;
}

function requireAll(found) {
  for (const [name, { kind, why }] of Object.entries(found)) {
    if (kind === 'none') throw new SetupError(`${why}; ${SOURCES[name].advice}`);
  }
}

function remember(found) {
  const temporary = inCache(`brokers.json.${process.pid}`);
  try {
    writeFileSync(temporary, `${JSON.stringify(found, null, 2)}\n`);
    renameSync(temporary, inCache('brokers.json'));
  } catch {
    // A cache that cannot be written does not matter where both brokers were found elsewhere.
  }
}
