import { proveAtLength } from './long-run.js';
import { queues } from './queues.js';

await proveAtLength(queues, 500);
