/**
 * npm run prove:faults [-- one in so many points [seconds]]
 * A scripted run in which the n-th call fails, for every n: each kind of error, once and for good, while running and while
 * opening again. See every-call.ts.
 */
import { everyFault } from './every-call.js';

const every = Number(process.argv[2] ?? 1);
const seconds = Number(process.argv[3] ?? Infinity);
const began = performance.now();
const tally = await everyFault(every, seconds);
console.log(tally);
console.log(
  `${tally.points} faults in ${((performance.now() - began) / 1000).toFixed(1)} s: nothing confirmed was lost, nothing hung`,
);
