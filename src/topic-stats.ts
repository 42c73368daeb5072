export interface GroupStats {
  readonly name: string;
  readonly topic: string;
  readonly members: number;
  /** Messages between the committed offsets and the ends of the partitions. */
  readonly lag: number;
  /** In hand, or on its way to the dead letters. */
  readonly unacked: number;
  /** Failed or given back, and not due yet. */
  readonly delayed: number;
  /** Handed out, requeued ones counted again. These four are counted since the group was made. */
  readonly delivered: number;
  readonly acked: number;
  /** Attempts that failed and were followed by another. */
  readonly retried: number;
  readonly deadLettered: number;
  /** Failed, where dead letters go nowhere. */
  readonly dropped: number;
}

export interface TopicStats {
  readonly name: string;
  /** What each holds: offsets from `first` up to, not including, `next`; encoded bytes of bodies. */
  readonly partitions: readonly { readonly first: number; readonly next: number; readonly bytes: number }[];
  readonly groups: readonly GroupStats[];
}
