import { loaded, sendAll, together, type Load } from '../loads.js';
import { openQueue, openThree, QUEUES } from '../queues/used.js';
import type { Contender, Row } from '../row.js';

const NAME = 'a message that is sent';

/** As together(), where every message is handled once by each queue. */
const toEachQueue: Load = (queue, bodies, tally) => sendAll(queue, bodies, tally.expect(bodies.length * QUEUES));

const used = (...given: Parameters<typeof openQueue>): Contender =>
  loaded(together, (handler) => openQueue(...given)(handler), 1);

const contenders = {
  sluice: used(),
  'with a key': used({}, (n) => ({ key: `key-${n % 100}` })),
  'with a key, in its order': used({ ordering: 'key' }, (n) => ({ key: `key-${n % 100}` })),
  'with an id': used({}, (n) => ({ id: `id-${n}` })),
  'with headers': used({}, () => ({ headers: { tenant: 'acme', urgent: true } })),
  'with a ttl': used({}, () => ({ ttl: '1h' })),
  'with a priority': used({ priorities: 10 }, (n) => ({ priority: n % 10 })),
  'to a queue with a limit': used({ maxLength: 1_000_000 }),
  'to three queues': loaded(toEachQueue, openThree, 1),
} satisfies Record<string, Contender>;

/** What a feature costs who uses it: nobody should fall off a cliff for a key or a limit. */
export const row: Row = {
  number: 19,
  title: 'queue → async handler → ack in memory, 1000 sends awaited together, with what most have some of',
  bare: 'the same with nothing of it: the first',
  contests: [{ name: NAME, figure: 'ns', unit: 'ns', contenders }],
  judge: (results) =>
    Object.keys(contenders)
      .slice(1)
      .map((what) => ({
        what: `${what}, to a plain one`,
        value: results.ratio(NAME, what, 'sluice', 'ns'),
        unit: '×',
        better: 'lower',
        target: 4,
      })),
};
