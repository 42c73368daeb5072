/** One line of the engine that is wrong, and who has to notice. */
export interface Flaw {
  readonly name: string;
  /** Under src/. */
  readonly file: string;
  /** There exactly once: a flaw that no longer fits the code is an error, not a pass. */
  readonly find: string;
  readonly replace: string;
  /** Under test/. One of them has to fail. */
  readonly tests: readonly string[];
}

/** In the order of a message's life: routed, let in, waiting, taken, settled, dead, written down. */
export const flaws: readonly Flaw[] = [
  // Routing
  {
    name: "headers 'any' compares as 'all'",
    file: 'routing/headers-match.ts',
    find: "this.#any = form.startsWith('any');",
    replace: 'this.#any = false;',
    tests: ['routing/headers-match.test.ts'],
  },
  {
    name: "'#' after a word does not match zero words",
    file: 'routing/pattern-trie.ts',
    find: 'this.#collect(loop);',
    replace: 'if (node === this.#root) this.#collect(loop);',
    tests: ['routing/pattern-trie.test.ts'],
  },
  {
    name: "the empty word after a last '.' is not read",
    file: 'routing/pattern-trie.ts',
    find: 'from <= key.length &&',
    replace: 'from < key.length &&',
    tests: ['routing/pattern-trie.test.ts'],
  },
  {
    name: 'a remembered way outlives the bindings it went by',
    file: 'routing/router.ts',
    find: 'this.#memos.clear();',
    replace: '',
    tests: ['routing/router.test.ts'],
  },
  {
    name: 'the alternate exchange is ignored',
    file: 'routing/router.ts',
    find: 'return this.#graph.alternate(start) === undefined;',
    replace: 'return true;',
    tests: ['exchange/alternate.test.ts'],
  },
  {
    name: 'mandatory is ignored',
    file: 'exchange.ts',
    find: 'if (options?.mandatory === true) {',
    replace: 'if (options === null) {',
    tests: ['exchange/publishing.test.ts'],
  },

  // Limits
  {
    name: 'a sender overtakes those who wait for room',
    file: 'delivery/intake.ts',
    find: '(inbox.waiting > 0 || !inbox.fits(load))',
    replace: '!inbox.fits(load)',
    tests: ['queue/blocking.test.ts'],
  },
  {
    name: 'one who waits for several queues is overtaken at one of them',
    file: 'delivery/intake.ts',
    find: 'for (const inbox of blocked.inboxes) held.add(inbox);',
    replace: '',
    tests: ['queue/blocking.test.ts', 'exchange/limits.test.ts'],
  },
  {
    name: 'room that is spoken for counts as room',
    file: 'delivery/inbox.ts',
    find: 'const coming = ready + this.reserved.count + load.count;',
    replace: 'const coming = ready + load.count;',
    tests: ['queue/limits.test.ts', 'queue/blocking.test.ts', 'queue/overflow-dead-letter.test.ts'],
  },
  {
    name: 'drop-head stops one message late',
    file: 'delivery/inbox.ts',
    find: 'while (books.ready + books.delayed > maxLength ||',
    replace: 'while (books.ready + books.delayed > maxLength + 1 ||',
    tests: ['queue/drop-head.test.ts'],
  },
  {
    name: 'drop-head drops the newest of a key first',
    file: 'delivery/oldest.ts',
    find: 'found === READY ? cursor.offset : Infinity',
    replace: 'found === READY ? 0 : -1',
    tests: ['queue/drop-head.test.ts'],
  },
  {
    name: 'drop-head begins at the highest level',
    file: 'delivery/oldest.ts',
    find: 'for (const cursor of stock.cursors) {\n    let found',
    replace: 'for (const cursor of [...stock.cursors].reverse()) {\n    let found',
    tests: ['queue/drop-head.test.ts', 'queue/priorities.test.ts'],
  },
  {
    name: 'what a full queue bounces is counted twice',
    file: 'delivery/burial.ts',
    find: 'stock.books.accepted++;',
    replace: 'stock.books.accepted += 2;',
    tests: ['queue/overflow-dead-letter.test.ts'],
  },

  // Waiting
  {
    name: 'the log is trimmed one message too far',
    file: 'delivery/settled-set.ts',
    find: 'drops.push({ from: 0, to: this.low });',
    replace: 'drops.push({ from: 0, to: this.low + 1 });',
    tests: ['delivery/settled-set.test.ts'],
  },
  {
    name: 'a block settled in the middle of the log is not dropped',
    file: 'delivery/settled-set.ts',
    find: 'this.filled.push(number);',
    replace: '',
    tests: ['delivery/settled-set.test.ts'],
  },
  {
    name: 'a delayed message comes a millisecond late',
    file: 'delivery/cursor.ts',
    find: 'deferred.rank <= now;',
    replace: 'deferred.rank < now;',
    tests: ['queue/delay.test.ts'],
  },
  {
    name: 'what is due at the same time comes in no order',
    file: 'delivery/offset-heap.ts',
    find: '(rank === otherRank && offset < this.offsets[other]!)',
    replace: 'rank === otherRank',
    tests: ['delivery/offset-heap.test.ts'],
  },
  {
    name: 'a message is delivered at the moment it expires',
    file: 'delivery/expiry.ts',
    find: 'return this.of(head) <= this.owner.now() &&',
    replace: 'return this.of(head) < this.owner.now() &&',
    tests: ['queue/ttl.test.ts'],
  },
  {
    name: "a queue's ttl begins anew with every look, retries included",
    file: 'delivery/expiry.ts',
    find: '(head.rare?.due ?? head.arrived) + this.ttl',
    replace: 'this.owner.now() + this.ttl',
    tests: ['queue/ttl.test.ts'],
  },
  {
    name: 'priorities are reversed',
    file: 'delivery/stock.ts',
    find: 'for (let level = cursors.length - 1; level >= 0; level--) {',
    replace: 'for (let level = 0; level < cursors.length; level++) {',
    tests: ['queue/priorities.test.ts'],
  },
  {
    name: "a key's turn is passed on during its backoff",
    file: 'delivery/key-lanes.ts',
    find: 'lane.owner !== undefined ? lane.owner !== owner : lane.reserved !== offset',
    replace: 'lane.owner !== undefined && lane.owner !== owner',
    tests: ['consumer/key-order.test.ts'],
  },
  {
    name: 'who waits for a key waits in order of arrival, not of acceptance',
    file: 'delivery/key-lanes.ts',
    find: 'for (; at > this.at && this.offsets[at - 1]! > offset; at--)',
    replace: 'for (; at < this.at; at--)',
    tests: ['delivery/key-lanes.test.ts'],
  },
  {
    name: 'purging forgets the bytes',
    file: 'delivery/stock.ts',
    find: 'books.bytes = 0;',
    replace: '',
    tests: ['queue/purge.test.ts'],
  },
  {
    name: 'purging is in no books',
    file: 'delivery/subscription.ts',
    find: 'this.stock.books.removed += count;',
    replace: '',
    tests: ['queue/purge.test.ts', 'queue/stats.test.ts'],
  },

  // Taking
  {
    name: 'one more in hand than prefetch allows',
    file: 'delivery/subscriber.ts',
    find: 'this.hand.size >= this.options.prefetch',
    replace: 'this.hand.size > this.options.prefetch',
    tests: ['consumer/ack-modes.test.ts', 'consumer/concurrency.test.ts'],
  },
  {
    name: 'always the first consumer is asked',
    file: 'delivery/roster.ts',
    find: 'const taker = takers[this.turn++]!;',
    replace: 'const taker = takers[n]!;',
    tests: ['delivery/roster.test.ts'],
  },
  {
    name: 'a single active consumer is not single',
    file: 'delivery/roster.ts',
    find: 'return !this.exclusive || this.takers[0] === taker;',
    replace: 'return true;',
    tests: ['consumer/single-active.test.ts'],
  },
  {
    name: 'the rate limit refills too fast',
    file: 'delivery/token-bucket.ts',
    find: 'this.interval = per / max;',
    replace: 'this.interval = per / (max + 1);',
    tests: ['consumer/rate-limit.test.ts'],
  },
  {
    name: 'the engine never yields to the event loop',
    file: 'delivery/slice.ts',
    find: 'if (now - this.began >= SLICE) return true;',
    replace: '',
    tests: ['consumer/event-loop.test.ts', 'delivery/slice.test.ts'],
  },
  {
    name: 'the wake-up after resume() is lost',
    file: 'delivery/subscription.ts',
    find: 'this.paused = false;\n    this.stock.expiry.watch();\n    this.restocked();',
    replace: 'this.paused = false;\n    this.stock.expiry.watch();',
    tests: ['queue/pausing.test.ts'],
  },
  {
    name: "the wake-up after a consumer's resume() is lost",
    file: 'delivery/subscriber.ts',
    find: 'this.paused = false;\n    this.feed.roster.call();',
    replace: 'this.paused = false;',
    tests: ['queue/pausing.test.ts'],
  },
  {
    name: 'the wake-up when a key is released is lost',
    file: 'delivery/stock.ts',
    find: 'if (this.recall(cursor, next, lanes)) this.owner.restocked();',
    replace: 'this.recall(cursor, next, lanes);',
    tests: ['consumer/key-order.test.ts'],
  },
  {
    name: 'the wake-up when prefetch has room again is lost',
    file: 'delivery/subscriber.ts',
    find: 'if (wasFull && this.spare > 0) this.feed.roster.call();',
    replace: '',
    tests: ['consumer/ack-modes.test.ts', 'consumer/concurrency.test.ts'],
  },

  // Settling
  {
    name: 'a late ack is accepted',
    file: 'delivery/subscription.ts',
    find: 'if (!held.inHand) return false;\n    held.inHand = false;',
    replace: 'held.inHand = false;',
    tests: ['consumer/ack-timeout.test.ts', 'consumer/verbs.test.ts'],
  },
  {
    name: 'the acknowledgement timeout comes a millisecond late',
    file: 'delivery/hand.ts',
    find: 'if (this.epoch + first.deadline <= now) return first;',
    replace: 'if (this.epoch + first.deadline < now) return first;',
    tests: ['consumer/ack-timeout.test.ts', 'delivery/hand.test.ts'],
  },
  {
    name: 'a timed-out handler is not told by its signal',
    file: 'delivery/subscription.ts',
    find: 'held.giveUp(reason);',
    replace: '',
    tests: ['consumer/ack-timeout.test.ts'],
  },
  {
    name: 'a failed attempt is not counted',
    file: 'delivery/settle.ts',
    find: 'const failures = failed + 1;',
    replace: 'const failures = failed;',
    tests: ['queue/retry.test.ts'],
  },
  {
    name: 'one attempt more than the policy has',
    file: 'delivery/settle.ts',
    find: 'if (failures >= policy.attempts)',
    replace: 'if (failures > policy.attempts)',
    tests: ['queue/retry.test.ts'],
  },
  {
    name: 'a requeue counts as an attempt',
    file: 'delivery/settle.ts',
    find: "return { to: 'waiting', delay: delay ?? 0, failures: failed, alone: false };",
    replace: "return { to: 'waiting', delay: delay ?? 0, failures: failed + 1, alone: false };",
    tests: ['consumer/verbs.test.ts'],
  },
  {
    name: 'what a failed batch held comes back in a batch',
    file: 'delivery/settle.ts',
    find: "return { to: 'waiting', delay: 0, failures: failed, alone: true };",
    replace: "return { to: 'waiting', delay: 0, failures: failed, alone: false };",
    tests: ['consumer/failed-batches.test.ts'],
  },
  {
    name: 'closing the broker costs an attempt',
    file: 'delivery/ending.ts',
    find: "subscription.takeBack(one as Held, 'abandon', reason);",
    replace: "subscription.takeBack(one as Held, 'timeout', reason);",
    tests: ['broker/closing.test.ts', 'queue/broker-closing.test.ts', 'broker/recovery.test.ts'],
  },

  // Dying
  {
    name: 'a dead letter is not settled at its source',
    file: 'delivery/settlement.ts',
    find: 'owner.stock.settle(taken);',
    replace: '',
    tests: ['queue/dead-letters.test.ts'],
  },
  {
    name: 'a dead letter is written apart from its end at the source',
    file: 'delivery/settlement.ts',
    find: 'owner.stock.depart(taken, as);',
    replace: '',
    tests: ['broker/recovery.test.ts', 'broker/faulty-storage.test.ts'],
  },
  {
    name: 'deaths are not counted up',
    file: 'delivery/dead-letters.ts',
    find: 'count: (deaths.find(same)?.count ?? 0) + 1,',
    replace: 'count: 1,',
    tests: ['delivery/dead-letters.test.ts', 'queue/dead-letters.test.ts'],
  },
  {
    name: 'dead letters run in circles',
    file: 'delivery/burial.ts',
    find: 'inboxes.filter((inbox) => !isCycle(head.rare!.deaths!, inbox.name));',
    replace: 'inboxes.filter(() => !isCycle([], source));',
    tests: ['queue/dead-letter-cycles.test.ts'],
  },
  {
    name: 'a redrive does not stop at what was there when it began',
    file: 'delivery/redrive.ts',
    find: 'if (cursor.offset >= end) {',
    replace: 'if (cursor.offset < 0) {',
    tests: ['queue/redrive.test.ts'],
  },

  // Written down
  {
    name: 'what a snapshot meets on its way out comes back after a restart',
    file: 'delivery/cursor-log.ts',
    find: 's.push([this.cursors.indexOf(cursor), offset, offset + 1]);',
    replace: '',
    tests: ['broker/recovery.test.ts'],
  },
  {
    name: 'attempts are lost in a restart',
    file: 'delivery/cursor.ts',
    find: 'if (due > 0) this.deferred.push(due, offset, failures, deliveries, false);',
    replace: 'if (due > 0) this.deferred.push(due, offset, 0, deliveries, false);',
    tests: ['broker/recovery.test.ts'],
  },
  {
    name: 'what is unbound is bound after a restart',
    file: 'recovery.ts',
    find: 'this.bound.delete(keyOf(one));',
    replace: '',
    tests: ['broker/recovery.test.ts'],
  },
];
