import type { Clock } from '@niobe/kernel';

/** A member of a group. */
export interface GroupMember {
  assign(partitions: readonly number[]): void;
  revoke(): void;
}

/** A consumer group of the log in memory: every change of its members revokes all partitions and deals them out anew. */
export class MemoryGroup {
  readonly #partitions: number;
  readonly #clock: Clock;
  readonly #members: GroupMember[] = [];
  #rebalancing = false;

  constructor(partitions: number, clock: Clock) {
    this.#partitions = partitions;
    this.#clock = clock;
  }

  join(member: GroupMember): void {
    this.#members.push(member);
    this.#soon();
  }

  leave(member: GroupMember): void {
    const at = this.#members.indexOf(member);
    if (at < 0) return;
    this.#members.splice(at, 1);
    this.#soon();
  }

  #soon(): void {
    if (this.#rebalancing) return;
    this.#rebalancing = true;
    this.#clock.soon(() => {
      this.#rebalancing = false;
      this.#deal();
    });
  }

  #deal(): void {
    for (const member of this.#members) member.revoke();
    this.#members.forEach((member, index) => member.assign(this.#shareOf(index)));
  }

  #shareOf(index: number): number[] {
    const share: number[] = [];
    for (let partition = index; partition < this.#partitions; partition += this.#members.length) share.push(partition);
    return share;
  }
}
