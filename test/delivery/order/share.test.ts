import { describe, expect, it } from 'vitest';
import { Share } from '../../../src/delivery/order/share.js';

function shareOf(...partitions: number[]): Share {
  const share = new Share();
  for (const partition of partitions) share.add(partition);
  return share;
}

describe('Share', () => {
  it('stays with one partition for 32 messages, then the next has its turn', () => {
    const share = shareOf(3, 5);
    for (let n = 0; n < 31; n++) share.took();
    expect(share.current).toBe(3);
    share.took();
    expect(share.current).toBe(5);
  });

  it('goes on with the partition of a slot, but not when the turn of another has just begun', () => {
    const share = shareOf(3, 5, 7);
    share.goOnWith(7);
    expect(share.current).toBe(3);
    share.took();
    share.goOnWith(7);
    expect(share.current).toBe(7);
    for (let n = 0; n < 31; n++) share.took();
    expect(share.current).toBe(3);
    share.goOnWith(7);
    expect(share.current).toBe(3);
  });

  it('does not go on with a partition that it has not any more, and finds the others', () => {
    const share = shareOf(3, 5, 7);
    share.took();
    share.remove(5);
    share.goOnWith(5);
    expect(share.current).toBe(3);
    share.goOnWith(7);
    expect(share.current).toBe(7);
    share.add(5);
    share.goOnWith(5);
    expect(share.current).toBe(5);
  });
});
