import { describe, expect, it } from 'vitest';
import { KEY_WEIGHT, KeyMemo, LONGEST_REMEMBERED_KEY, ROOM } from '../../src/routing/key-memo.js';

describe('a memo of routing keys', () => {
  it('gives back the answer it was given, an empty one too', () => {
    const memo = new KeyMemo<string>();
    const answer = ['q'];
    const nothing: string[] = [];
    memo.set('a.b', answer);
    memo.set('', nothing);
    expect(memo.get('a.b')).toBe(answer);
    expect(memo.get('')).toBe(nothing);
    expect(memo.get('a')).toBeUndefined();
    memo.clear();
    expect(memo.get('a.b')).toBeUndefined();
    expect(memo.size).toBe(0);
  });

  it('is bounded in keys, and forgets those not asked for', () => {
    const memo = new KeyMemo<string>();
    const most = Math.floor(ROOM / (KEY_WEIGHT + 1));
    for (let i = 0; i < 3 * most; i++) {
      memo.set(`key.${i}`, ['q']);
      expect(memo.get('key.0')).toEqual(['q']);
    }
    expect(memo.size).toBe(most);
    expect(memo.get('key.1')).toBeUndefined();
    expect(memo.get(`key.${3 * most - 1}`)).toEqual(['q']);
  });

  it('is bounded in destinations, whatever one key leads to', () => {
    const memo = new KeyMemo<number>();
    const crowd = Array.from({ length: 10_000 }, (_, i) => i);
    for (let i = 0; i < 1000; i++) memo.set(`key.${i}`, crowd);
    expect(memo.size).toBe(Math.floor(ROOM / (KEY_WEIGHT + crowd.length)));
    memo.set('to everybody', Array<number>(ROOM).fill(0));
    expect(memo.get('to everybody')).toBeUndefined();
  });

  it('keeps no long keys', () => {
    const memo = new KeyMemo<string>();
    const longest = 'k'.repeat(LONGEST_REMEMBERED_KEY);
    memo.set(longest, ['q']);
    memo.set(`${longest}k`, ['q']);
    expect(memo.get(longest)).toEqual(['q']);
    expect(memo.get(`${longest}k`)).toBeUndefined();
    expect(memo.size).toBe(1);
  });

  it('knows no key that nobody set', () => {
    const memo = new KeyMemo<string>();
    for (const key of ['__proto__', 'constructor', 'toString']) {
      expect(memo.get(key)).toBeUndefined();
      memo.set(key, [key]);
      expect(memo.get(key)).toEqual([key]);
    }
  });
});
