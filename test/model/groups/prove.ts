import { proveAtLength } from '../long-run.js';
import { topics } from './topics.js';

await proveAtLength(topics, 100);
