import type { Broker, Message } from '../../../src/index.js';
import { ATTEMPTS, QUEUES, REACHES, textOf, type Cargo, type Destination, type Kind } from './scene.js';

interface Sent {
  readonly id: string;
  readonly destination: Destination;
  readonly kind: Kind;
  readonly producer: number;
  readonly n: number;
  readonly key: string;
  /** It holds nobody back, and comes when it is due. */
  readonly isDelayed: boolean;
  confirmed: boolean;
}

/** What one queue was told to have done with one message. */
interface Course {
  /** Acknowledged or rejected: it may be gone, or a dead letter. */
  over: boolean;
  dead: boolean;
  flushed: boolean;
  /** Lives that ended when it was in hand, or had been, and what became of it was not flushed. */
  unfinished: number;
  begun: boolean;
}

/** What the processes said of themselves, and what must be true of the directory that they left. */
export class Ledger {
  confirmed = 0;
  flushed = 0;
  checked = 0;
  nextId = 1;
  /** Of the process that ran last: it ended itself in a handler; a write was under way. */
  selfKilled = false;
  isWriting = false;
  opened = false;
  private readonly sent = new Map<string, Sent>();
  private readonly courses = new Map<string, Course>();
  /** Seen to be gone: not to come back. */
  private readonly gone = new Set<string>();
  private readonly deadly = new Map<string, number>();
  private wrong: string | undefined;

  /** Takes in what the process said. */
  hear(line: string): void {
    const [what, ...words] = line.split(' ') as [string, ...string[]];
    switch (what) {
      case 'o':
        this.opened = true;
        break;
      case 'b':
      case 'e':
        this.isWriting = what === 'b';
        break;
      case 'w': {
        const [id, destination, kind, producer, n, key, delay] = words as [
          string,
          Destination,
          Kind,
          string,
          string,
          string,
          string,
        ];
        this.sent.set(id, {
          id,
          destination,
          kind,
          producer: Number(producer),
          n: Number(n),
          key,
          isDelayed: delay !== '0',
          confirmed: false,
        });
        this.nextId = Number(id) + 1;
        break;
      }
      case 'c':
        this.sent.get(words[0]!)!.confirmed = true;
        this.confirmed++;
        break;
      case 't':
        this.course(words[0]!, words[1]!).begun = true;
        break;
      case 'h':
        this.handed(words[0]!, words[1]!);
        break;
      case 'a':
      case 'r':
        this.course(words[0]!, words[1]!).over = true;
        break;
      case 'd':
        this.course(words[0]!, words[1]!).dead = true;
        break;
      case 'f':
        this.course(words[0]!, words[1]!).flushed = true;
        this.flushed++;
        break;
      case 'k':
        this.selfKilled = true;
        this.ends(words[1]!);
        break;
      default:
        this.wrong ??= `the process said: ${line}`;
    }
  }

  /** The process has ended. */
  ended(): void {
    for (const course of this.courses.values()) {
      if (course.begun && !course.flushed) course.unfinished++;
      course.begun = false;
    }
  }

  /** A message ends a process as often as it has attempts. */
  private ends(id: string): void {
    const ends = (this.deadly.get(id) ?? 0) + 1;
    this.deadly.set(id, ends);
    if (ends > ATTEMPTS) this.wrong ??= `${id} has ended ${ends} processes`;
  }

  private handed(queue: string, id: string): void {
    const course = this.course(queue, id);
    if (!this.sent.has(id)) this.wrong ??= `${id} was delivered from ${queue}, and never sent`;
    if (course.flushed) this.wrong ??= `${id} was delivered from ${queue} again after its acknowledgement was flushed`;
    if (this.gone.has(`${queue} ${id}`)) this.wrong ??= `${id} was gone from ${queue}, and is delivered again`;
    if (queue === 'keyed') this.wrong ??= this.outOfOrder(id);
  }

  /** What is before it of its key, and is there, was acknowledged, rejected or is dead. */
  private outOfOrder(id: string): string | undefined {
    const { key, n, producer, isDelayed } = this.sent.get(id)!;
    if (isDelayed) return undefined;
    for (const [other, sent] of this.sent) {
      if (sent.key !== key || sent.producer !== producer || sent.n >= n || !sent.confirmed) continue;
      if (!REACHES[sent.destination].includes('keyed') || sent.isDelayed) continue;
      const course = this.courses.get(`keyed ${other}`);
      if (course?.over === true || course?.dead === true || this.gone.has(`keyed ${other}`)) continue;
      // A process that was killed as soon as it had buried it could not say so.
      if (mayBeDead(course)) continue;
      return `${id} of ${key} was delivered before ${other}, of which is known: ${JSON.stringify(course)}`;
    }
    return undefined;
  }

  /** Compares what a broker holds, which was just opened on the directory and judged what was in hand. */
  async judge(broker: Broker): Promise<string | undefined> {
    const there = new Map<string, Set<string>>();
    for (const name of Object.keys(QUEUES).flatMap((queue) => [queue, `${queue}.dlq`])) {
      const messages = await broker.queue<Cargo>(name).peek(100_000);
      const ids = new Set(messages.map(({ id }) => id));
      if (ids.size < messages.length) return `${name} holds a message twice`;
      there.set(name, ids);
      this.wrong ??= this.outOfLine(name, messages) ?? this.unknown(name, messages);
      this.checked += messages.length;
    }
    for (const { name, ready, delayed, unacked, acked, deadLettered, dropped, removed, accepted } of broker.stats()
      .queues) {
      if (ready + delayed + unacked + acked + deadLettered + dropped + removed !== accepted)
        return `the books of ${name} do not balance`;
    }
    for (const sent of this.sent.values()) this.wrong ??= this.follow(sent, there);
    return this.wrong;
  }

  /** Whether what became of a message is what may have become of it. */
  private follow(sent: Sent, there: ReadonlyMap<string, ReadonlySet<string>>): string | undefined {
    const { id, destination, kind, confirmed } = sent;
    let arrived: boolean | undefined;
    for (const queue of REACHES[destination]) {
      const waits = there.get(queue)!.has(id);
      const dead = there.get(`${queue}.dlq`)!.has(id);
      const course = this.courses.get(`${queue} ${id}`);
      const deadCourse = this.courses.get(`${queue}.dlq ${id}`);
      const handled = course !== undefined || deadCourse !== undefined || this.gone.has(`${queue} ${id}`);
      if (waits && dead) return `${id} is in ${queue} and in its dead letters`;
      if (waits && course?.flushed === true) return `${id} is in ${queue}, though its acknowledgement was flushed`;
      if (waits && this.gone.has(`${queue} ${id}`)) return `${id} is in ${queue} again`;
      if (dead && deadCourse?.flushed === true)
        return `${id} is in ${queue}.dlq, though its acknowledgement was flushed`;
      if (dead && kind === 'good' && !mayBeDead(course))
        return `${id} did no harm, and is dead in ${queue} (begun in ${course?.unfinished ?? 0} lives that ended)`;
      const isHere = waits || dead || handled;
      if (!isHere && confirmed) return `${id} was confirmed, and is not in ${queue}`;
      const isOver = course?.over === true || course?.dead === true || deadCourse?.over === true;
      if (!waits && !dead && confirmed && !isOver && !this.gone.has(`${queue} ${id}`))
        return `${id} is gone from ${queue}, and nobody settled it`;
      arrived ??= isHere;
      if (arrived !== isHere) return `${id} is in some of its queues only: ${destination}`;
    }
    if (REACHES[destination].every((queue) => !there.get(queue)!.has(id) && !there.get(`${queue}.dlq`)!.has(id)))
      this.forget(sent);
    return undefined;
  }

  private forget({ id, destination }: Sent): void {
    for (const queue of REACHES[destination]) {
      for (const name of [`${queue} ${id}`, `${queue}.dlq ${id}`]) {
        this.gone.add(name);
        this.courses.delete(name);
      }
    }
    this.sent.delete(id);
  }

  /** A queue holds what one producer sent in that order. */
  private outOfLine(name: string, messages: readonly Message<Cargo>[]): string | undefined {
    if (name.endsWith('.dlq')) return undefined;
    const last = new Map<number, number>();
    for (const { id, body, deliveries } of messages) {
      const before = last.get(body.producer) ?? -1;
      if (body.n < before && deliveries === 0 && this.sent.get(id)?.isDelayed === false)
        return `${name} holds ${id} too late`;
      last.set(body.producer, Math.max(before, body.n));
    }
    return undefined;
  }

  private unknown(name: string, messages: readonly Message<Cargo>[]): string | undefined {
    for (const { id, body } of messages) {
      if (!this.sent.has(id))
        return `${name} holds ${id}, which was ${this.gone.has(`${name} ${id}`) ? 'gone' : 'never sent'}`;
      if (body.text !== textOf(Number(id))) return `${name} holds ${id} with another body`;
    }
    return undefined;
  }

  private course(queue: string, id: string): Course {
    const name = `${queue} ${id}`;
    let course = this.courses.get(name);
    if (course === undefined) {
      course = { over: false, dead: false, flushed: false, unfinished: 0, begun: false };
      this.courses.set(name, course);
    }
    return course;
  }
}

/** Killed from outside while it was tried alone, again and again; the first time it may only have been marked as next. */
function mayBeDead(course: Course | undefined): boolean {
  return (course?.unfinished ?? 0) >= ATTEMPTS - 1;
}
