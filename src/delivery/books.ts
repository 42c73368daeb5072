/**
 * What became of every message of one queue or group, and what there is now:
 *
 *     accepted = ready + delayed + unacked + acked + deadLettered + dropped + removed
 */
export class Books {
  /** Could be delivered now. */
  ready = 0;
  /** Waits for a time: delayed, or backing off. */
  delayed = 0;
  /** In hand, or on its way to the dead letters. */
  unacked = 0;
  /** Encoded bytes of what is ready or delayed. */
  bytes = 0;
  accepted = 0;
  acked = 0;
  deadLettered = 0;
  dropped = 0;
  /** Purged or redriven. */
  removed = 0;
  delivered = 0;
  retried = 0;

  snapshot(): Record<Count, number> {
    return Object.assign({}, this);
  }
}

/** What a message can be counted as that is moved elsewhere. */
export type Moved = 'deadLettered' | 'removed';

type Count = Exclude<keyof Books, 'snapshot'>;
