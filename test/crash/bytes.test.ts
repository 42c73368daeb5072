import { expect, it } from 'vitest';
import { damages, judge } from './damage.js';
import { makeScene } from './scene.js';

// The short form of prove:bytes: one case in so many, another one in each file of the two directories.
const EVERY = 197;

it.each([true, false])(
  'recovers or reports whatever happens to the bytes (closed: %s)',
  async (isClosed) => {
    const scene = await makeScene(isClosed);
    const verdicts = { whole: 0, reported: 0, cut: 0 };
    let index = isClosed ? 0 : 30;
    for (const damage of damages(scene.disk.files())) {
      if (index++ % EVERY === 0) verdicts[await judge(scene, damage, isClosed, index % 3 === 0)]++;
    }
    expect(verdicts.whole).toBeGreaterThan(500);
    expect(verdicts.reported).toBeGreaterThan(50);
  },
  60_000,
);
