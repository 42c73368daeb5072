import { loaded, sendAll, together, type Load } from '../loads.js';
import { openBare } from '../queues/bare.js';
import { GROUPS, openTopic } from '../queues/topic.js';
import type { Row } from '../row.js';

const NAME = 'a publish and its deliveries; bare: a delivery';

/** As together(), where every message is handled by each of the groups. */
const toEachGroup: Load = (topic, bodies, tally) => sendAll(topic, bodies, tally.expect(bodies.length * GROUPS));

/** A topic: published once, delivered to and acknowledged by every group. */
export const row: Row = {
  number: 17,
  title: `topic of 8 partitions, keyed → ${GROUPS} groups → async handler → ack, in memory by reference; 1000 publishes awaited together`,
  bare: 'row 1, per delivery',
  contests: [
    {
      name: NAME,
      figure: 'ns',
      unit: 'ns',
      contenders: {
        sluice: loaded(toEachGroup, openTopic, GROUPS),
        bare: loaded(together, openBare, 1),
      },
    },
  ],
  judge: (results) => [
    {
      what: 'of bare, per delivery',
      value: results.ratio(NAME, 'bare', 'sluice', 'ns') * GROUPS,
      unit: '×',
      better: 'higher',
      target: 0.38,
      floor: 0.28,
      note: `a publish is ${GROUPS} deliveries`,
    },
  ],
};
