import type { Row } from '../row.js';
import { row as together } from './1-together.js';
import { row as few } from './10-few-in-flight.js';
import { row as single } from './11-one-in-flight.js';
import { row as fastDisk } from './12-fast-disk.js';
import { row as consumed } from './13-consumed.js';
import { row as marks } from './13-marks.js';
import { row as async } from './14-async.js';
import { row as reopened } from './15-reopened.js';
import { row as backlogOnDisk } from './16-backlog-on-disk.js';
import { row as topic } from './17-topic.js';
import { row as topicOnDisk } from './17-topic-on-disk.js';
import { row as tenQueues } from './18-ten-queues.js';
import { row as unused } from './19-unused.js';
import { row as used } from './19-used.js';
import { row as oneByOne } from './2-one-by-one.js';
import { row as guest } from './20-guest.js';
import { row as json } from './3-json.js';
import { row as idle } from './4-idle.js';
import { row as backlog } from './5-backlog.js';
import { row as memory } from './6-memory.js';
import { row as topics } from './7-topics.js';
import { row as confirmed } from './8-confirmed.js';
import { row as confirmedJson } from './9-confirmed-json.js';

/** In memory. Numbers are those of the targets. */
export const rows: readonly Row[] = [
  together,
  oneByOne,
  json,
  idle,
  backlog,
  memory,
  topics,
  topic,
  unused,
  used,
  guest,
];

/** On a disk. */
export const durable: readonly Row[] = [
  confirmed,
  confirmedJson,
  few,
  single,
  fastDisk,
  consumed,
  marks,
  async,
  reopened,
  backlogOnDisk,
  topicOnDisk,
  tenQueues,
];
