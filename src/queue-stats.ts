/** The books balance: accepted = ready + delayed + unacked + acked + deadLettered + dropped + removed. Counted since the queue was made. */
export interface QueueStats {
  readonly name: string;
  /** Could be delivered now. */
  readonly ready: number;
  /** Waits for a time: delayed, or backing off. */
  readonly delayed: number;
  /** In hand, or on its way to the dead letters. */
  readonly unacked: number;
  /** Encoded bytes of what is ready or delayed. */
  readonly bytes: number;
  readonly consumers: number;
  readonly accepted: number;
  /** Handed out, requeued ones counted again. */
  readonly delivered: number;
  readonly acked: number;
  /** Attempts that failed and were followed by another. */
  readonly retried: number;
  readonly deadLettered: number;
  readonly dropped: number;
  /** Purged or redriven. */
  readonly removed: number;
  readonly deduplicated: number;
  /** Handlers whose message was taken back and that have not returned. */
  readonly lost: number;
  /** When the message came that is next. */
  readonly oldest?: Date | undefined;
  /** false: restored from the storage, and nobody has asked for it in this run. */
  readonly declared: boolean;
}
