import { describe, expect, it } from 'vitest';
import { nextTurn } from '../../src/clock.js';
import { Journal, type Rider } from '../../src/delivery/journal.js';
import { MemoryStorage, type Durability, type LogRange, type Storage, type StorageOp } from '../../src/index.js';
import { deferred, watch, type Deferred } from '../fixtures.js';

const turn = (): Promise<void> => new Promise(nextTurn);
const append = (name: string): StorageOp => ({
  type: 'append',
  log: 'l',
  entry: { head: { name } },
  offset: undefined,
});
const drop = (from: number, to: number): StorageOp => ({ type: 'drop', log: 'l', from, to });

/** A storage whose writes the test ends one by one. */
class Slow implements Storage {
  readonly durability: Durability = 'disk';
  readonly batches: (readonly StorageOp[])[] = [];
  readonly reaches: (Durability | undefined)[] = [];
  readonly writes: Deferred[] = [];
  open = (): ReadonlyMap<string, LogRange> => new Map();
  read = (): [] => [];
  close = async (): Promise<void> => undefined;
  write = (batch: readonly StorageOp[], reach?: Durability): Promise<void> => {
    this.batches.push([...batch]);
    this.reaches.push(reach);
    const written = deferred();
    this.writes.push(written);
    return written.promise;
  };
}

function rider(...ops: StorageOp[]): Rider & { collected: number; told: number } {
  return {
    collected: 0,
    told: 0,
    collect(batch) {
      this.collected++;
      batch.push(...ops);
      return true;
    },
    recollect() {
      this.told++;
    },
  };
}

const never = (error: unknown): never => {
  throw error;
};

describe('Journal', () => {
  it('is done at once where its storage is', () => {
    const journal = new Journal(new MemoryStorage(), never);
    expect(journal.write([append('a')])).toBeUndefined();
    expect([journal.durability, journal.lasting]).toEqual(['memory', false]);
  });

  it('is done in call order among those who share a commit, also where the first brought riders along', async () => {
    const storage = new Slow();
    const journal = new Journal(storage, never);
    const commit = deferred();
    storage.write = () => commit.promise;
    journal.touch(rider(drop(0, 1)));
    const order: string[] = [];
    for (const name of ['a', 'b', 'c'])
      void (journal.write([append(name)]) as Promise<void>).then(() => order.push(name));
    commit.resolve();
    await turn();
    expect(order).toEqual(['a', 'b', 'c']);
  });

  it('gives those who share a commit one promise, behind what was written before', async () => {
    const storage = new Slow();
    const journal = new Journal(storage, never);
    const first = watch(journal.write([append('a')]) as Promise<void>);
    const commit = deferred();
    storage.write = () => commit.promise;
    const [one, other] = [journal.write([append('b')]), journal.write([append('c')])];
    expect(other).toBe(one);
    const both = watch(one as Promise<void>);
    commit.resolve();
    await turn();
    expect([first.state, both.state]).toEqual(['pending', 'pending']);
    storage.writes[0]!.resolve();
    await journal.flush();
    await turn();
    expect([first.state, both.state]).toEqual(['resolved', 'resolved']);
  });

  it('writes in call order, and is done in call order, whatever the storage answers first', async () => {
    const storage = new Slow();
    const journal = new Journal(storage, never);
    const first = watch(Promise.resolve(journal.write([append('a')])));
    const second = watch(Promise.resolve(journal.write([append('b')])));
    storage.writes[1]!.resolve();
    await turn();
    expect([first.state, second.state]).toEqual(['pending', 'pending']);
    storage.writes[0]!.resolve();
    await turn();
    expect([first.state, second.state]).toEqual(['resolved', 'resolved']);
    expect(storage.batches).toMatchObject([[{ entry: { head: { name: 'a' } } }], [{ entry: { head: { name: 'b' } } }]]);
  });

  it('rejects a write that fails, and no other', async () => {
    const storage = new Slow();
    const journal = new Journal(storage, never);
    const writes = ['a', 'b', 'c'].map((name) => watch(Promise.resolve(journal.write([append(name)]))));
    storage.writes[0]!.reject(new Error('no'));
    for (const write of storage.writes.slice(1)) write.resolve();
    await turn();
    expect(writes.map(({ state }) => state)).toEqual(['rejected', 'resolved', 'resolved']);
  });

  it('passes on how far a write has to reach', () => {
    const storage = new Slow();
    const journal = new Journal(storage, never);
    void journal.write([append('a')], 'os');
    void journal.write([append('b')]);
    expect(storage.reaches).toEqual(['os', undefined]);
  });

  it('takes along with the next write what riders have to say, once', async () => {
    const storage = new Slow();
    const journal = new Journal(storage, never);
    const one = rider(drop(0, 5));
    journal.touch(one);
    journal.touch(one);
    void journal.write([append('a')]);
    expect(storage.batches).toEqual([[append('a'), drop(0, 5)]]);
    await turn();
    await turn();
    expect(storage.batches).toHaveLength(1);
    expect(one.collected).toBe(1);
  });

  it('writes it by itself when the event loop turns, where no other write comes', async () => {
    const storage = new Slow();
    const journal = new Journal(storage, never);
    journal.touch(rider(drop(0, 5)));
    journal.touch(rider(drop(7, 9)));
    expect(storage.batches).toEqual([]);
    await turn();
    expect(storage.batches).toEqual([[drop(0, 5), drop(7, 9)]]);
  });

  it('writes nothing where riders have nothing to say', async () => {
    const storage = new Slow();
    const journal = new Journal(storage, never);
    journal.touch(rider());
    await turn();
    expect(storage.batches).toEqual([]);
  });

  it('lets riders say it again, whole, where the write failed; whoever wrote is told', async () => {
    const storage = new Slow();
    const reported: unknown[] = [];
    const journal = new Journal(storage, (error) => reported.push(error));
    const one = rider(drop(0, 5));
    journal.touch(one);
    const written = watch(Promise.resolve(journal.write([append('a')])));
    storage.writes[0]!.reject(new Error('no'));
    await turn();
    expect(written.state).toBe('rejected');
    expect(one.told).toBe(1);
    expect(storage.batches).toEqual([[append('a'), drop(0, 5)], [drop(0, 5)]]);
    expect(reported).toEqual([]);
  });

  it('reports a write of riders alone that failed', async () => {
    const storage = new Slow();
    const reported: unknown[] = [];
    const journal = new Journal(storage, (error) => reported.push((error as Error).message));
    journal.touch(rider(drop(0, 5)));
    await turn();
    storage.writes[0]!.reject(new Error('no'));
    await turn();
    expect(reported).toEqual(['no']);
  });

  it('is flushed when everything that was handed over is done, riders included', async () => {
    const storage = new Slow();
    const journal = new Journal(storage, never);
    void journal.write([append('a')]);
    journal.touch(rider(drop(0, 5)));
    const flushed = watch(journal.flush());
    await turn();
    expect(storage.batches).toHaveLength(2);
    storage.writes[0]!.resolve();
    await turn();
    expect(flushed.state).toBe('pending');
    storage.writes[1]!.resolve();
    await turn();
    expect(flushed.state).toBe('resolved');
  });
});
