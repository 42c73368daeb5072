import { diverge } from './divergence.js';
import type { Letter } from './letter.js';
import type { QueueModel } from './queue-model.js';

/** What an event tells. */
export type Payload = { readonly id: string } & Readonly<Record<string, unknown>>;

/** An event that has to come, and what is so once it came. */
interface Due {
  readonly event: 'acked' | 'retried' | 'deadLettered';
  readonly letter: Letter;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly done: () => void;
}

export const TIMED_OUT = 'timed out';
export const INVALID = 'invalid';

/** What has to happen before nothing moves any more: events that must come, and what no event tells of. */
export class Expectations {
  private readonly now: () => number;
  private due: Due[] = [];
  /** What happens in this order, at this time or later. */
  private silent: { readonly at: number; readonly happen: () => void }[] = [];

  constructor(now: () => number) {
    this.now = now;
  }

  expect(event: Due['event'], letter: Letter, payload: Due['payload'], done: () => void): void {
    this.due.push({ event, letter, payload, done });
  }

  /** The event came: was it expected, or does `explain` find a reason for it? */
  met(event: Due['event'], queue: QueueModel, payload: Payload, explain: (letter: Letter) => void): void {
    const { id } = payload;
    const find = (): Due | undefined => {
      const due = this.due.filter(
        (one) => one.event === event && one.letter.queue === queue && (one.letter.id ?? id) === id,
      );
      return due.find((one) => one.payload['reason'] === payload['reason']) ?? due[0];
    };
    const explained = this.explained(() => {
      const letter = queue.find(id);
      if (find() === undefined && letter !== undefined) explain(letter);
      return find();
    });
    const due =
      explained ?? diverge(`${queue.name} says that ${id} was ${event}, for no reason: ${JSON.stringify(payload)}`);
    due.letter.id ??= id;
    for (const [name, expected] of Object.entries(due.payload)) {
      const found = name === 'error' ? messageOf(payload.error) : payload[name];
      if (found !== expected)
        diverge(`${due.letter} was ${event} with ${name} ${String(found)}, not ${String(expected)}`);
    }
    this.due = this.due.filter((other) => other !== due);
    due.done();
  }

  /** Happens soon, and no event tells. */
  silently(at: number, happen: () => void): void {
    this.silent.push({ at, happen });
  }

  /** What `look` finds, now or after what has happened silently. */
  explained<T>(look: () => T | undefined): T | undefined {
    for (;;) {
      const found = look();
      const at = this.silent.findIndex((one) => one.at <= this.now());
      if (found !== undefined || at < 0) return found;
      this.silent.splice(at, 1)[0]!.happen();
    }
  }

  /** Something happens any moment that no event tells of. */
  get uncertain(): boolean {
    return this.silent.some(({ at }) => at <= this.now());
  }

  /** What happens silently has happened by now. */
  catchUp(): void {
    this.explained(() => undefined);
  }

  /** Nothing moves any more, and all of it should have happened. */
  none(): void {
    for (const { event, letter } of this.due) diverge(`${letter} should have been ${event}`);
  }

  /** When something happens that no event tells of. */
  get instants(): number[] {
    return this.silent.map(({ at }) => at);
  }
}

function messageOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  return (error as { code?: unknown }).code === 'ERR_TIMEOUT' ? TIMED_OUT : (error as Error).message;
}
