import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { capture, findOnPath } from './command.mjs';
import { atLeast, parseVersion } from './version.mjs';

const OLDEST = [17];

/** `{ java, version }` of a Java that runs Kafka, or `{ failure }` saying in one line why there is none. */
export async function findJava() {
  const home = process.env.JAVA_HOME;
  const inHome = home ? join(home, 'bin', process.platform === 'win32' ? 'java.exe' : 'java') : null;
  const java = inHome && existsSync(inHome) ? inHome : findOnPath('java');
  if (!java) return { failure: `no Java on PATH or in JAVA_HOME, and Kafka needs Java ${OLDEST[0]} or newer` };
  const { code, output } = await capture(java, ['-version']);
  const version = code === 0 ? parseVersion(/version "([^"]*)"/.exec(output)?.[1] ?? '') : null;
  if (!version) return { failure: `${java} does not tell its version, and Kafka needs Java ${OLDEST[0]} or newer` };
  if (!atLeast(version, OLDEST)) {
    return { failure: `${java} is ${version.join('.')}, and Kafka needs Java ${OLDEST[0]} or newer` };
  }
  return { java, version: version.join('.') };
}
