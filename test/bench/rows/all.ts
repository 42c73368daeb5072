import type { Row } from '../row.js';
import { row as together } from './1-together.js';
import { row as oneByOne } from './2-one-by-one.js';
import { row as backlog } from './5-backlog.js';

export const rows: readonly Row[] = [together, oneByOne, backlog];
