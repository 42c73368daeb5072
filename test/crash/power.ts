/**
 * npm run prove:power [-- cuts [first seed [seconds]]]
 * Storages on a simulated disk, through kills, power cuts and faults; see simulated-disk.ts and lives.ts.
 */
import { liveAndDie, newTally } from './lives.js';

const cuts = Number(process.argv[2] ?? 50_000);
const first = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 31));
const seconds = Number(process.argv[4] ?? Infinity);
const began = performance.now();
const tally = newTally();
console.log(`seeds from ${first} on`);
let seed = first;
// A promise that nobody settles would end the process without a word.
let isDone = false;
process.on('exit', () => {
  if (!isDone) console.log(`failed at seed ${seed}`);
});
for (; tally.cuts < cuts && performance.now() - began < seconds * 1000; seed++) await liveAndDie(seed, tally, 20);
console.log(
  `${seed - first} storages in ${((performance.now() - began) / 1000).toFixed(1)} s: nothing lost, torn or invented`,
);
console.log(tally);
isDone = true;
