import type { LogKeeper } from './drops.js';
import type { Policy } from './retry.js';
import type { Roster } from './order/roster.js';
import type { Bury } from './settlement.js';

/** What a queue or a group makes its subscription of. */
export interface SubscriptionOptions {
  readonly name: string;
  /** Of a group: its name; `name` is the topic's then. */
  readonly group?: string;
  /** Who is asked next, where not everybody takes from everything. */
  readonly roster?: Roster;
  /** Who keeps the logs, where they are not the stock's own. */
  readonly keeper?: LogKeeper;
  readonly policy: Policy;
  readonly bury: Bury;
  /** There is room again for those who wait to send. */
  readonly relieved: () => void;
  /** What was being read is there. */
  readonly loaded: () => void;
}
