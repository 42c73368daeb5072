/** How often a message was tried before. */
export interface Tries {
  /** Attempts that failed. */
  readonly failures: number;
  /** How often it was handed out, requeued ones included. */
  readonly deliveries: number;
  /** It comes by itself: a batch it was in failed, or a process ended. */
  readonly alone: boolean;
}
export const UNTRIED: Tries = { failures: 0, deliveries: 0, alone: false };
