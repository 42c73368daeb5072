/**
 * npm run prove:bytes [-- one in so many cases [seconds]]
 * Every truncation and every bit of every file of a directory, sectors zeroed, duplicated, swapped, garbage, files gone:
 * opening recovers everything, or reports. See damage.ts.
 */
import { damages, judge } from './damage.js';
import type { Verdict } from './damage.js';
import { makeScene } from './scene.js';

const every = Number(process.argv[2] ?? 1);
const seconds = Number(process.argv[3] ?? Infinity);
const began = performance.now();
for (const isClosed of [true, false]) {
  const scene = await makeScene(isClosed);
  const verdicts: Record<Verdict, number> = { whole: 0, reported: 0, cut: 0 };
  let index = 0;
  let repaired = 0;
  let tried = 0;
  for (const damage of damages(scene.disk.files())) {
    if (index++ % every !== 0) continue;
    if (performance.now() - began > seconds * 1000) break;
    // Mending takes longer than finding out.
    const repairs = tried++ % 5 === 0;
    if (repairs) repaired++;
    verdicts[await judge(scene, damage, isClosed, repairs)]++;
  }
  console.log(isClosed ? 'closed:' : 'killed:', verdicts, `${repaired} with repair`);
}
console.log(`${((performance.now() - began) / 1000).toFixed(1)} s: nothing was lost in silence`);
