import { describe, expect, it } from 'vitest';
import { Slab } from '../../../src/delivery/intake/slab.js';

const bytesOf = (n: number, length: number): Uint8Array => new Uint8Array(length).fill(n);

describe('a slab', () => {
  it('keeps copies apart, of whatever length, and from what they were made of', () => {
    const slab = new Slab();
    const lengths = Array.from({ length: 300 }, (_, n) => (n * 37) % 3000);
    const given = lengths.map((length, n) => bytesOf(n % 251, length));
    const copies = given.map((bytes) => slab.copy(bytes));
    for (const bytes of given) bytes.fill(255);
    copies.forEach((copy, n) => expect(copy).toEqual(bytesOf(n % 251, lengths[n]!)));
  });

  it('is shared by small ones, a few kilobytes of them; what is large has memory of its own', () => {
    const slab = new Slab();
    const small = [slab.copy(bytesOf(1, 100)), slab.copy(bytesOf(2, 100))] as const;
    const large = slab.copy(bytesOf(3, 5000));
    expect(small[1].buffer).toBe(small[0].buffer);
    expect(small[0].buffer.byteLength).toBeLessThanOrEqual(16 * 1024);
    expect(large.buffer.byteLength).toBe(5000);
  });
});
