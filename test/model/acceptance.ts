import { diverge } from './divergence.js';
import type { Endings } from './endings.js';
import type { Fates } from './fates.js';
import { Letter, type Draft } from './letter.js';
import type { QueueModel, Sending } from './queue-model.js';
import type { World } from './world.js';

/** What comes in: who is refused, who waits, and what a full queue does. */
export class Acceptance {
  private readonly world: World;
  private readonly fates: Fates;
  private readonly endings: Endings;

  constructor(world: World, fates: Fates, endings: Endings) {
    this.world = world;
    this.fates = fates;
    this.endings = endings;
  }

  send(queue: QueueModel, drafts: readonly Draft[], valid: boolean, quiet: boolean): Sending {
    const letters = drafts.map((draft) => {
      const letter = new Letter(queue, draft);
      letter.stored = [];
      return letter;
    });
    const stored = letters.map((letter) => letter.stored!);
    const refused = valid ? this.refusal(queue, letters) : 'ERR_VALIDATION';
    const stay: Letter[] = [];
    const sending: Sending = {
      letters,
      stored,
      quiet,
      expected: stay,
      arrived: 0,
      room: 0,
      returned: queue.returned,
      refused,
      doubtful: false,
    };
    if (refused !== undefined) return sending;
    queue.sendings.push(sending);
    for (const letter of letters) {
      const { bytes } = letter.draft;
      const bounces =
        queue.configuration.overflow === 'dead-letter' && !queue.takes(letter, 1, bytes, this.world.now());
      if (bounces) this.fates.die(letter, 'overflow', 0, undefined);
      else stay.push(letter);
    }
    if (stay.length === 0) queue.sendings = queue.sendings.filter((other) => other !== sending);
    return sending;
  }

  private refusal(queue: QueueModel, letters: readonly Letter[]): string | undefined {
    const { maxLength = Infinity, maxBytes = Infinity, overflow = 'reject' } = queue.configuration;
    const sizes = letters.map(({ draft }) => draft.bytes);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    if (sizes.some((size) => size > maxBytes)) return 'ERR_QUEUE_FULL';
    if (overflow !== 'reject' && overflow !== 'block') return undefined;
    if (bytes > maxBytes || letters.length > Math.max(1, maxLength)) return 'ERR_QUEUE_FULL';
    // What is not due cannot be handed over.
    if (maxLength === 0 && letters.some((letter) => letter.due(this.world.now()) > this.world.now()))
      return 'ERR_QUEUE_FULL';
    if (overflow === 'block' || letters.length === 0) return undefined;
    return queue.takes(letters[0]!, letters.length, bytes, this.world.now()) ? undefined : 'ERR_QUEUE_FULL';
  }

  /** Its sender has given up. Whether it is sure that nothing of it is stored. */
  abort(queue: QueueModel, sending: Sending, certain: boolean): void {
    if (certain) queue.sendings = queue.sendings.filter((other) => other !== sending);
    else sending.doubtful = true;
  }

  accepted(queue: QueueModel, id: string): void {
    const internal = queue.incoming.find((letter) => letter.id === id) ?? this.endings.diedInto(queue, id);
    if (internal !== undefined) {
      queue.incoming = queue.incoming.filter((letter) => letter !== internal);
      const handedOver = queue.handsOver(internal, internal.draft.bytes, this.world.now());
      const room = handedOver ? queue.waiting.length + 1 : queue.configuration.maxLength;
      queue.arrive(internal, this.world.now(), false);
      this.fates.arrivedElsewhere(internal);
      this.dropHeads(queue, room);
      return;
    }
    while (queue.sendings[0]?.doubtful === true && nextOf(queue.sendings[0]).id !== id) queue.sendings.shift();
    const sending = queue.sendings[0] ?? diverge(`${queue.name} accepted ${id}, and nothing was sent`);
    const letter = nextOf(sending);
    letter.id ??= id;
    if (letter.id !== id) diverge(`${queue.name} accepted ${id}, but it is the turn of ${letter}`);
    const last = sending.expected.at(-1)!;
    const handedOver = sending.arrived === 0 && queue.handsOver(last, last.draft.bytes, this.world.now());
    if (sending.arrived === 0)
      sending.room = handedOver ? queue.waiting.length + 1 : (queue.configuration.maxLength ?? Infinity);
    const complete = ++sending.arrived === sending.expected.length;
    if (complete) queue.sendings.shift();
    letter.arrivedAt = this.world.now();
    queue.arrive(letter, this.world.now(), sending.quiet && sending.expected[0] === letter);
    const { count, bytes } = queue.excess;
    if (
      this.world.exact &&
      queue.configuration.overflow !== 'drop-head' &&
      count + bytes > 0 &&
      !handedOver &&
      sending.returned === queue.returned
    ) {
      diverge(`${letter} was accepted, and now ${queue.name} is over its limit`);
    }
    if (complete) this.dropHeads(queue, sending.room);
    this.world.count('accepted');
  }

  /** Once all of a write are in, a full ring drops what is too much. */
  private dropHeads(queue: QueueModel, room: number | undefined): void {
    if (queue.configuration.overflow !== 'drop-head') return;
    for (let { count, bytes } = queue.over(room); count + bytes > 0; { count, bytes } = queue.over(room)) {
      const head = queue.droppable(this.world.now());
      queue.undecided = head !== queue.droppable(this.world.now(), true);
      if (head === undefined || queue.undecided) return;
      this.fates.die(head, 'overflow', head.failures, undefined);
    }
  }
}

export function nextOf({ expected, arrived }: Sending): Letter {
  return expected[arrived]!;
}
