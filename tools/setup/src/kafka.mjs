import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { capture, findOnPath, reasonIn } from './command.mjs';
import { provisionFolder } from './cache.mjs';
import { findJava } from './java.mjs';
import { inCache, inRoot, shown } from './paths.mjs';
import { atLeast, parseVersion } from './version.mjs';

// The first without ZooKeeper and with the group protocol that the adapter was tried with.
const OLDEST = [4, 0, 0];
const POM = inRoot('infra/kafka/local/pom.xml');
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const FOLDER = inCache('kafka');

/** Name, for lines about it. */
export const title = 'Kafka';

/** What a person can do where none is found. */
export const advice = 'install Java 17 or newer and Maven, or put a Kafka 4 on PATH; or set NIOBE_KAFKA_BROKERS';

/** The addresses given by the environment, or null. */
export function given() {
  const brokers = process.env.NIOBE_KAFKA_BROKERS;
  return brokers
    ? { kind: 'given', brokers: brokers.split(','), why: `${brokers}, given by NIOBE_KAFKA_BROKERS` }
    : null;
}

/** The jars of a good enough Kafka on PATH or in the cache, with a Java to run them, or null. */
export async function find(notes) {
  const found = findJars(notes);
  if (!found) return null;
  const { java, version, failure } = await findJava();
  if (failure) {
    notes.push(failure);
    return null;
  }
  return { kind: 'jars', java, ...found, why: `Kafka ${found.version} ${found.why}, on Java ${version}` };
}

/** Puts the jars into the cache by Maven. Returns what failed, or null. */
export async function provision(tell) {
  const { failure } = await findJava();
  if (failure) return failure;
  const maven = findOnPath('mvn');
  if (!maven) return 'no Maven (mvn) on PATH to fetch Kafka with';
  tell('mvn copy-dependencies of infra/kafka/local/pom.xml (about 10 s, once)');
  return fill(maven);
}

function fill(maven) {
  return provisionFolder(FOLDER, async (folder) => {
    const lib = join(folder, 'lib');
    const { code, output } = await capture(maven, ['-q', '-B', '-f', POM, COPY, `-DoutputDirectory=${lib}`]);
    if (code !== 0) return reasonIn(output);
    return versionIn(lib) ? null : 'Maven fetched no Kafka jar';
  });
}

function findJars(notes) {
  const script = findOnPath('kafka-server-start.sh') ?? findOnPath('kafka-server-start');
  const candidates = [[join(FOLDER, 'lib'), `in ${shown(FOLDER)}`]];
  if (script) candidates.unshift([join(dirname(script), '../libs'), 'on PATH']);
  for (const [lib, why] of candidates) {
    const version = versionIn(lib);
    if (version && atLeast(parseVersion(version), OLDEST)) return { lib, version, why };
    if (version) notes.push(`${lib} holds Kafka ${version}, ${OLDEST.join('.')} is needed`);
  }
  return null;
}

function versionIn(lib) {
  if (!existsSync(lib)) return null;
  const jar = readdirSync(lib).find((name) => /^kafka_2\.\d+-\d+\.\d+\.\d+\.jar$/.test(name));
  return jar ? /-(\d+\.\d+\.\d+)\.jar$/.exec(jar)[1] : null;
}
