import { nextTurn } from '../../clock.js';
import { assign, partitionsByMember, type Assignor } from './assignment/assign.js';
import type { Cursor } from '../cursor/cursor.js';
import { Roster, type Taker } from '../order/roster.js';
import { Share, type Member } from '../order/share.js';

/** A member, and those who take for it. */
interface Seat {
  readonly name: string;
  readonly member: Member;
  readonly share: Share;
  readonly takers: Taker[];
  /** A message of it timed out, and nothing was heard of it since: no verb, no end of a handler, no receive(). */
  silent: boolean;
}

/** What a membership asks of its group. */
export interface MembershipOwner {
  cursors(): readonly Cursor[];
  /** Who has which partitions now, by name. */
  rebalanced(assignment: Readonly<Record<string, readonly number[]>>): void;
  /** Perhaps it is idle now. */
  rested(): void;
}

/**
 * The members of a group, each with partitions of its own. Who joins, leaves or falls silent has them shared out again, cooperatively:
 * a partition that stays never pauses; one that moves is taken from no more, and handed over when nothing of it is out.
 *
 *     owned ──assigned to another──► awaited (while something is out) ──vacated──► owned by the other
 */
export class Membership extends Roster {
  assignor: Assignor = 'sticky';
  private readonly owner: MembershipOwner;
  private readonly seats = new Map<Member, Seat>();
  /** By partition: who takes from it, and who is to. */
  private holders: (Seat | undefined)[] = [];
  private targets: (Seat | undefined)[] = [];
  /** Who took from it last: what is out while nobody does is of him. */
  private readonly former: (Seat | undefined)[] = [];
  /** Seats of which nothing is heard. */
  private silences = 0;
  /** Members that leave in the next turn, if they still want to. */
  private departures = 0;
  private told = '{}';

  constructor(owner: MembershipOwner) {
    super();
    this.owner = owner;
  }

  get size(): number {
    return this.seats.size;
  }

  /** Who has a partition, or will have it in a moment. */
  memberOf(partition: number): string | undefined {
    return this.targets[partition]?.name;
  }

  override add(taker: Taker): void {
    super.add(taker);
    const { member } = taker;
    let seat = this.seats.get(member);
    if (seat !== undefined) {
      seat.takers.push(taker);
      return this.heard(member);
    }
    const share = new Share();
    member.share = share;
    seat = { name: this.freeName(member.name), member, share, takers: [taker], silent: false };
    this.seats.set(member, seat);
    this.rebalance();
  }

  override remove(taker: Taker): void {
    super.remove(taker);
    const seat = this.seats.get(taker.member);
    const at = seat?.takers.indexOf(taker) ?? -1;
    if (seat === undefined || at < 0) return;
    seat.takers.splice(at, 1);
    if (seat.takers.length > 0) return;
    if (seat.member.lingers !== undefined) this.rested(seat.member);
    else this.leave(seat);
  }

  override rested(member: Member): void {
    const seat = this.seats.get(member);
    if (seat === undefined) return;
    this.departures++;
    nextTurn(() => {
      this.departures--;
      if (seat.takers.length === 0 && member.lingers === false && this.seats.get(member) === seat) this.leave(seat);
      this.owner.rested();
    });
  }

  override get leaving(): boolean {
    return this.departures > 0;
  }

  override silent(member: Member): void {
    const seat = this.seats.get(member);
    if (seat === undefined || seat.silent) return;
    seat.silent = true;
    this.silences++;
    this.rebalance();
  }

  override heard(member: Member): void {
    if (this.silences > 0) this.notSilent(member);
  }

  private notSilent(member: Member): void {
    const seat = this.seats.get(member);
    if (seat === undefined || !seat.silent) return;
    seat.silent = false;
    this.silences--;
    this.rebalance();
  }

  /** Wakes a slot of every member that may find something. */
  override call(): void {
    for (const seat of this.seats.values()) this.wake(seat);
  }

  override offer(cursor: Cursor): void {
    const seat = this.holders[cursor.number];
    if (seat !== undefined && mayGive(cursor)) wakeOne(seat);
  }

  override more(member: Member): void {
    const seat = this.seats.get(member);
    if (seat !== undefined) this.wake(seat);
  }

  override vacated(cursor: Cursor): void {
    cursor.awaited = false;
    this.handOver(cursor.number);
  }

  /** Shares the partitions out, as many as there are now, among those who are heard of; among all where nobody is. */
  rebalance(): void {
    const all = [...this.seats.values()];
    const heard = all.filter((seat) => !seat.silent);
    const able = heard.length > 0 ? heard : all;
    const byName = new Map(able.map((seat) => [seat.name, seat]));
    const names = [...byName.keys()];
    const cursors = this.owner.cursors();
    const previous = this.targets.map((seat) => seat?.name);
    const owners = assign(this.assignor, names, cursors.length, previous);
    this.targets = owners.map((name) => (name === undefined ? undefined : byName.get(name)));
    for (let partition = 0; partition < cursors.length; partition++) this.move(partition);
    this.tell(
      partitionsByMember(
        all.map(({ name }) => name),
        owners,
      ),
    );
  }

  /** A partition goes to whom it is assigned to: at once, or when nothing of it is out. */
  private move(partition: number): void {
    const holder = this.holders[partition];
    const target = this.targets[partition];
    if (holder === target) return;
    if (holder !== undefined) {
      holder.share.remove(partition);
      this.holders[partition] = undefined;
      this.former[partition] = holder;
    }
    const cursor = this.owner.cursors()[partition]!;
    // What is out may be of the one who gets it back.
    cursor.awaited = cursor.out > 0 && this.former[partition] !== target;
    if (!cursor.awaited) this.handOver(partition);
  }

  private handOver(partition: number): void {
    const seat = this.targets[partition];
    if (seat === undefined || this.holders[partition] !== undefined) return;
    this.holders[partition] = seat;
    seat.share.add(partition);
    this.wake(seat);
  }

  private leave(seat: Seat): void {
    this.seats.delete(seat.member);
    if (seat.silent) this.silences--;
    this.rebalance();
  }

  private wake(seat: Seat): void {
    const cursors = this.owner.cursors();
    for (const partition of seat.share.partitions) if (mayGive(cursors[partition]!)) return wakeOne(seat);
  }

  private tell(assignment: Readonly<Record<string, readonly number[]>>): void {
    const text = JSON.stringify(assignment);
    if (text === this.told) return;
    this.told = text;
    this.owner.rebalanced(assignment);
  }

  private freeName(name: string): string {
    const taken = new Set([...this.seats.values()].map((seat) => seat.name));
    let free = name;
    for (let n = 2; taken.has(free); n++) free = `${name}-${n}`;
    return free;
  }
}

/** Something may be taken from it: nobody holds it as a whole. */
function mayGive({ stocked, lanes }: Cursor): boolean {
  return stocked && lanes?.whole?.owner === undefined;
}

function wakeOne({ takers }: Seat): void {
  for (const taker of takers) if (taker.spare > 0 && taker.willing()) return taker.wake();
}
