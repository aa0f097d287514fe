/**
 * One provisioning at a time on one machine.
 *
 * 1. The lock is a file that names its holder's process id. Creating it with `wx` is the atomic step.
 * 2. A holder that was killed leaves the file behind: its process id is dead, and the next one takes over.
 * 3. A process id can be reused, or belong to another container: the holder renews the file's time every
 *    RENEW_MS, and a file not renewed for STALE_MS is dead as well.
 * 4. Taking over renames the file first, and only the one whose rename succeeds removes it. Not promised: two that
 *    take over within the same microseconds may both go on. That wastes work and breaks nothing, because every
 *    result is moved into place by one rename.
 */
import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const RENEW_MS = 2_000;
const STALE_MS = 30_000;
const POLL_MS = 200;

/** Runs `work` while holding the lock `path`; `onWait(pid)` is called once if another holds it. */
export async function withLock(path, onWait, work) {
  await acquire(path, onWait);
  const renewal = setInterval(() => renew(path), RENEW_MS);
  const release = () => rmSync(path, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    process.off('exit', release);
    release();
  }
}

async function acquire(path, onWait) {
  let told = false;
  while (!tryCreate(path)) {
    const holder = readHolder(path);
    if (holder !== null && isDead(holder)) takeAway(path);
    else if (holder !== null) {
      if (!told) onWait(holder.pid);
      told = true;
      await delay(POLL_MS);
    }
  }
}

function tryCreate(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(path) {
  try {
    return { pid: Number(readFileSync(path, 'utf8')), ageMs: Date.now() - statSync(path).mtimeMs };
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

function isDead({ pid, ageMs }) {
  if (ageMs > STALE_MS) return true;
  // Between its creation and its write a lock file is empty.
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function takeAway(path) {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    rmSync(aside, { force: true });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

function renew(path) {
  try {
    const now = new Date();
    utimesSync(path, now, now);
  } catch {
    // Taken away by someone who thought this process dead; the work goes on (see 4).
  }
}
