import type { Row } from '../row.js';
import { row as together } from './1-together.js';
import { row as unused } from './19-unused.js';
import { row as oneByOne } from './2-one-by-one.js';
import { row as guest } from './20-guest.js';
import { row as json } from './3-json.js';
import { row as idle } from './4-idle.js';
import { row as backlog } from './5-backlog.js';
import { row as memory } from './6-memory.js';
import { row as topics } from './7-topics.js';

/** Numbers are those of the targets. */
export const rows: readonly Row[] = [together, oneByOne, json, idle, backlog, memory, topics, unused, guest];
