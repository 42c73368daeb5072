import { describe, expect, it } from 'vitest';
import { Roster, type Taker } from '../../../src/delivery/order/roster.js';

/** Somebody with `spare` slots, who tells when he is woken. */
class Named implements Taker {
  readonly member = { name: 'anybody', share: undefined };
  spare: number;
  readonly room = Infinity;
  able = true;
  private readonly name: string;
  private readonly log: string[];

  constructor(name: string, spare: number, log: string[]) {
    this.name = name;
    this.spare = spare;
    this.log = log;
  }
  willing(): boolean {
    return this.able;
  }
  wake(): void {
    this.spare--;
    this.log.push(this.name);
  }
}

function setUp(spare: number, names = 'abc'): { roster: Roster; takers: Named[]; log: string[] } {
  const roster = new Roster();
  const log: string[] = [];
  const takers = names.split('').map((name) => new Named(name, spare, log));
  for (const taker of takers) roster.add(taker);
  return { roster, takers, log };
}

describe('Roster', () => {
  it('calls takers in turn', () => {
    const { roster, log } = setUp(3);
    for (let n = 0; n < 7; n++) roster.call();
    expect(log.join('')).toBe('abcabca');
  });

  it('calls nobody who has no slot, or cannot take', () => {
    const { roster, takers, log } = setUp(2);
    takers[0]!.able = false;
    takers[1]!.spare = 1;
    for (let n = 0; n < 5; n++) roster.call();
    expect(log.join('')).toBe('bcc');
    expect(roster.able).toBe(true);
    takers[1]!.able = takers[2]!.able = false;
    expect(roster.able).toBe(false);
  });

  it('keeps whose turn it is when somebody goes', () => {
    const { roster, takers, log } = setUp(9);
    roster.call();
    roster.call();
    roster.remove(takers[0]!);
    for (let n = 0; n < 3; n++) roster.call();
    expect(log.join('')).toBe('abcbc');
    roster.remove(takers[2]!);
    roster.remove(takers[2]!);
    roster.call();
    roster.remove(takers[1]!);
    roster.call();
    expect(log.join('')).toBe('abcbcb');
  });

  it('counts the spare slots of all who are there', () => {
    const { roster, takers } = setUp(4);
    expect(roster.spare).toBe(12);
    roster.remove(takers[1]!);
    roster.remove(takers[1]!);
    expect(roster.spare).toBe(8);
  });

  it('calls the first alone where it is exclusive', () => {
    const { roster, takers, log } = setUp(2);
    roster.exclusive = true;
    for (let n = 0; n < 5; n++) roster.call();
    expect(log.join('')).toBe('aa');
    expect(takers.map((taker) => roster.active(taker))).toEqual([true, false, false]);
    roster.remove(takers[0]!);
    for (let n = 0; n < 5; n++) roster.call();
    expect(log.join('')).toBe('aabb');
  });

  it('has nobody to call when it is empty', () => {
    const roster = new Roster();
    roster.call();
    expect(roster.able).toBe(false);
  });
});
