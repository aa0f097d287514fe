import { readFileSync } from 'node:fs';

/** What Linux says of a process. */
export interface ProcessFigures {
  /** CPU seconds used since its start, user and system. */
  readonly cpuSeconds: number;
  /** Resident bytes now. */
  readonly residentBytes: number;
}

const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

/** Figures of process `pid` from procfs; zeros when it is gone. */
export function processFigures(pid: number): ProcessFigures {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { cpuSeconds: ticks / TICKS_PER_SECOND, residentBytes: Number(fields[21]) * PAGE_BYTES };
  } catch {
    return { cpuSeconds: 0, residentBytes: 0 };
  }
}

/** True while process `pid` exists and is no zombie. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    return false;
  }
}
