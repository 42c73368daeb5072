import { checkName, checkOneOf, checkOptions } from './arguments.js';
import { assignors, type Assignor } from './delivery/topic/assignment/assign.js';
import type { Position } from './delivery/topic/partition.js';
import { checkRetry } from './delivery/retry.js';
import { checkHandle, type Handle } from './destination.js';
import type { Duration } from './duration.js';
import type { RetryPolicy } from './message.js';
import { ACK_TIMEOUT, checkAckTimeout } from './queue-options.js';
import { checkPosition } from './topic-options.js';

export interface ConsumerGroupOptions {
  /**
   * Where a new group starts. Default `earliest`: what was published before the group first ran is not lost to it. An offset
   * is one in each partition, clamped to what that holds.
   */
  readonly from?: Position | undefined;
  /** Over the broker's, by field. */
  readonly retry?: RetryPolicy | undefined;
  /** Where failed messages go. Default: the queue `<topic>.<group>.dlq`. false: they are dropped, and the event says so. As a queue's otherwise. */
  readonly deadLetter?: string | Handle | false | undefined;
  /**
   * `partition` (default): one at a time per partition, a failing message holds it back. `key`: never two of one key at once.
   * `none`: parallel, settled out of order and remembered.
   */
  readonly ordering?: 'partition' | 'key' | 'none' | undefined;
  /** How partitions are shared among members. Default `sticky`. */
  readonly assignor?: Assignor | undefined;
  /** A delivered message that is not settled in this time is taken back, as a failed attempt. Default 30 min; false: never. */
  readonly ackTimeout?: Duration | false | undefined;
}

/** What holds where nothing is said. */
export const GROUP_DEFAULTS = {
  from: 'earliest',
  ordering: 'partition',
  assignor: 'sticky',
  ackTimeout: ACK_TIMEOUT,
} as const satisfies ConsumerGroupOptions;

const GROUP = new Set<keyof ConsumerGroupOptions>([
  'from',
  'retry',
  'deadLetter',
  'ordering',
  'assignor',
  'ackTimeout',
]);
const ORDERINGS = ['partition', 'key', 'none'] as const;

/** @throws TypeError, RangeError naming the option, what was given, and what is expected */
export function checkGroupOptions(options: ConsumerGroupOptions | undefined): void {
  checkOptions(options, 'group options', GROUP);
  if (options === undefined) return;
  const { from, retry, deadLetter, ordering, assignor, ackTimeout } = options;
  if (from !== undefined) checkPosition(from, 'from');
  checkRetry(retry, 'retry');
  if (typeof deadLetter === 'string') checkName(deadLetter, 'deadLetter');
  else if (deadLetter !== undefined && deadLetter !== false) checkHandle(deadLetter, 'deadLetter', 'a name or false');
  if (ordering !== undefined) checkOneOf(ordering, 'ordering', ORDERINGS);
  if (assignor !== undefined) checkOneOf(assignor, 'assignor', assignors);
  checkAckTimeout(ackTimeout, 'ackTimeout');
}
