import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Buffer, type LogEntry } from '../../../src/delivery/cursor/buffer.js';
import { Head } from '../../../src/delivery/head.js';

const entryOf = (size: number): LogEntry => ({
  head: new Head(undefined, 0, 0, size, undefined, undefined, undefined),
  body: size,
});

describe('Buffer', () => {
  it('is a queue of entries that knows their bytes', () => {
    const sizes = fc.array(fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }), { maxLength: 400 });
    fc.assert(
      fc.property(sizes, (list) => {
        const buffer = new Buffer(0, 64, Infinity);
        const naive: { offset: number; entry: LogEntry }[] = [];
        let offset = 0;
        for (const size of list) {
          // undefined takes one out; holes in the log leave gaps between offsets.
          if (size === undefined) {
            if (naive.length === 0) continue;
            buffer.shift();
            naive.splice(0, 1);
          } else if (!buffer.full) {
            offset += 1 + (size % 3);
            const entry = entryOf(size);
            buffer.push(offset, entry);
            naive.push({ offset, entry });
          }
          expect(buffer.size).toBe(naive.length);
          expect(buffer.full).toBe(naive.length === 64);
          expect(buffer.bytes).toBe(naive.reduce((sum, { entry }) => sum + entry.head.size, 0));
          expect(naive.length === 0 ? undefined : [buffer.offset, buffer.entry]).toEqual(
            naive[0] && [naive[0].offset, naive[0].entry],
          );
        }
      }),
    );
  });

  it('is full when it holds as many entries, or at least as many bytes, as it may', () => {
    const byEntries = new Buffer(0, 16, Infinity);
    for (let n = 0; n < 16; n++) {
      expect(byEntries.full).toBe(false);
      byEntries.push(n, entryOf(1));
    }
    expect(byEntries.full).toBe(true);
    byEntries.shift();
    expect(byEntries.full).toBe(false);
    const byBytes = new Buffer(0, 16, 100);
    byBytes.push(0, entryOf(99));
    expect(byBytes.full).toBe(false);
    byBytes.push(1, entryOf(500));
    expect(byBytes.full).toBe(true);
  });

  it('is empty after clear(), and keeps where it reads on', () => {
    const buffer = new Buffer(7, 64, Infinity);
    for (let n = 0; n < 40; n++) buffer.push(n, entryOf(n));
    buffer.next = 40;
    buffer.clear();
    expect([buffer.size, buffer.bytes, buffer.next, buffer.full]).toEqual([0, 0, 40, false]);
  });
});
