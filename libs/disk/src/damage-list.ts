import type { DamageReport } from '@niobe/replication';
import { DAMAGE_REPORTS_MAX } from './limits.ts';

/** What is known of a damage besides the file and what is wrong with it. */
export type DamagePlace = Partial<Pick<DamageReport, 'partition' | 'segment' | 'offset'>>;

/** The damage found while a folder is opened, bounded. */
export class DamageList {
  readonly #folder: string;
  readonly #reports: DamageReport[] = [];
  #more = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  add(file: string, fileOffset: number, message: string, { partition, segment, offset }: DamagePlace = {}): void {
    if (this.#reports.length === DAMAGE_REPORTS_MAX) {
      this.#more += 1;
      return;
    }
    this.#reports.push({
      file,
      fileOffset,
      partition: partition ?? null,
      segment: segment ?? null,
      offset: offset ?? null,
      message,
    });
  }

  /** All reports; if there were too many, a last one counts the rest. */
  reports(): readonly DamageReport[] {
    if (this.#more === 0) return this.#reports;
    const message = `${this.#more} more places are damaged`;
    const rest = { file: this.#folder, fileOffset: 0, partition: null, segment: null, offset: null, message };
    return [...this.#reports, rest];
  }
}
