import { describe, expect, test } from 'vitest';
import { type Books, compare } from '../../examples/github-webhooks/books.js';

const inOrder = new Set(['ordered']);

function books(ids: readonly string[], result: unknown = {}, queue = 'ordered'): Books {
  const entries = ids.map((id) => ({ id, key: id.slice(0, 1) }));
  return { handled: new Map([[queue, entries]]), results: new Map([[queue, result]]) };
}

describe('the comparison of books', () => {
  test.each<{ what: string; found: Books; expected: Books; lines: readonly string[] }>([
    { what: 'equal', found: books(['a1', 'a2', 'b1']), expected: books(['a1', 'a2', 'b1']), lines: [] },
    { what: 'keys interleaved', found: books(['b1', 'a1', 'a2']), expected: books(['a1', 'a2', 'b1']), lines: [] },
    {
      what: 'one missing',
      found: books(['a1', 'b1']),
      expected: books(['a1', 'a2', 'b1']),
      lines: ['ordered: a2 was not handled'],
    },
    {
      what: 'one twice',
      found: books(['a1', 'a2', 'a2']),
      expected: books(['a1', 'a2']),
      lines: ['ordered: a2 was handled 1 times more than expected'],
    },
    {
      what: 'a stranger',
      found: books(['a1', 'a2']),
      expected: books(['a1']),
      lines: ['ordered: a2 was handled 1 times more than expected'],
    },
    {
      what: 'two of a key exchanged',
      found: books(['a2', 'a1', 'b1']),
      expected: books(['a1', 'a2', 'b1']),
      lines: ['ordered: a: a2 was handled where a1 was due'],
    },
    {
      what: 'two of a key exchanged where order does not matter',
      found: books(['a2', 'a1'], {}, 'loose'),
      expected: books(['a1', 'a2'], {}, 'loose'),
      lines: [],
    },
    {
      what: 'a queue that nobody knows',
      found: { handled: new Map([['new', [{ id: 'a1' }]]]), results: new Map() },
      expected: { handled: new Map(), results: new Map() },
      lines: ['new: a1 was handled 1 times more than expected'],
    },
    {
      what: 'a queue that is gone',
      found: { handled: new Map(), results: new Map() },
      expected: books(['a1'], 1),
      lines: ['ordered: a1 was not handled', 'ordered: result: found undefined, expected 1'],
    },
    {
      what: 'results that differ deep inside',
      found: books([], { same: [1, { x: null }], count: 1, more: true }),
      expected: books([], { same: [1, { x: null }], count: 2, gone: [] }),
      lines: [
        'ordered: result › count: found 1, expected 2',
        'ordered: result › gone: found undefined, expected []',
        'ordered: result › more: found true, expected undefined',
      ],
    },
    {
      what: 'a longer list',
      found: books([], [1, 2]),
      expected: books([], [1]),
      lines: ['ordered: result › 1: found 2, expected undefined'],
    },
  ])('$what', ({ found, expected, lines }) => {
    expect(compare(found, expected, inOrder)).toEqual(lines);
  });
});
