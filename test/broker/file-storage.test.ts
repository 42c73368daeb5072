import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Broker,
  FileStorage,
  fixed,
  MemoryStorage,
  reference,
  SluiceError,
  type BrokerEvents,
} from '../../src/index.js';
import type { StorageReport, StorageReporter } from '../../src/storage/storage.js';
import { FaultyStorage, ManualClock } from '../../src/testing/index.js';
import { framesOf, HandClock, newDisk, settled } from '../storage/file/bench-disk.js';

const on = (disk = newDisk(), options: ConstructorParameters<typeof FileStorage>[1] = {}) => {
  const clock = new HandClock();
  return { disk, clock, storage: FileStorage.on({ fs: disk.mount(), clock }, '/data', { keepFree: 0, ...options }) };
};

/** A storage with something to say. */
class Telling extends MemoryStorage {
  report: StorageReporter = () => undefined;
  private readonly atOnce: readonly StorageReport[];
  constructor(atOnce: readonly StorageReport[] = []) {
    super();
    this.atOnce = atOnce;
  }
  override open(report?: StorageReporter): ReturnType<MemoryStorage['open']> {
    if (report !== undefined) this.report = report;
    for (const one of this.atOnce) this.report(one);
    return super.open();
  }
  stats(): Record<string, number> {
    return { shelves: 3 };
  }
}

describe('What a storage reports', () => {
  const nearlyFull = { type: 'nearly-full', details: { free: 7 } } as const;
  const torn = { type: 'torn-tail', file: '/data/1.seg', position: 64 } as const;

  it('becomes events: warnings, and an error where it has failed', async () => {
    const storage = new Telling();
    const broker = await Broker.open({ storage });
    const warnings: BrokerEvents['warning'][] = [];
    const errors: Error[] = [];
    broker.on('warning', (event) => warnings.push(event)).on('error', ({ error }) => errors.push(error));
    storage.report(nearlyFull);
    storage.report(torn);
    const error = new SluiceError('ERR_STORAGE_FAILED', 'a write failed');
    storage.report({ type: 'failed', error });
    expect(warnings).toMatchObject([
      { code: 'STORAGE_NEARLY_FULL', details: { free: 7 } },
      { code: 'STORAGE_TORN_TAIL', details: { file: '/data/1.seg', position: 64 } },
    ]);
    expect(errors).toEqual([error]);
    await broker.close();
  });

  it('while it is opened is told once somebody can have begun to listen', async () => {
    const storage = new Telling([torn]);
    const broker = await Broker.open({ storage });
    const codes: string[] = [];
    broker.on('warning', ({ code }) => codes.push(code));
    await settled();
    storage.report(nearlyFull);
    expect(codes).toEqual(['STORAGE_TORN_TAIL', 'STORAGE_NEARLY_FULL']);
    await broker.close();
  });

  it('and its figures pass through a storage that is wrapped around it', async () => {
    const inner = new Telling();
    const broker = await Broker.open({ storage: new FaultyStorage(inner) });
    const codes: string[] = [];
    broker.on('warning', ({ code }) => codes.push(code));
    inner.report(nearlyFull);
    expect(codes).toEqual(['STORAGE_NEARLY_FULL']);
    expect(broker.stats().storage).toEqual({ durability: 'memory', shelves: 3 });
    await broker.close();
  });
});

describe('A broker on files', () => {
  let directory: string;
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'sluice-files-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  it('finds again what was sent, and says what it survives', async () => {
    const before = await Broker.open({ storage: new FileStorage(directory) });
    expect((await before.queue('orders').send({ id: 1 })).durability).toBe('disk');
    expect(before.stats().storage).toMatchObject({ durability: 'disk', state: 'open', tornTails: 0, directory });
    await before.close();
    const after = await Broker.open({ storage: new FileStorage(directory, { flush: 'async' }) });
    expect((await after.queue('orders').receive())!.body).toEqual({ id: 1 });
    expect((await after.queue('orders').send({ id: 2 })).durability).toBe('os');
    await after.close();
  });

  it('refuses the codec that keeps objects, before it touches the directory', async () => {
    const data = join(directory, 'data');
    await expect(Broker.open({ storage: new FileStorage(data), codec: reference })).rejects.toThrow(TypeError);
    expect(existsSync(data)).toBe(false);
  });

  it('has the directory for itself, and says who has it', async () => {
    const broker = await Broker.open({ storage: new FileStorage(directory) });
    const second = Broker.open({ storage: new FileStorage(directory) });
    await expect(second).rejects.toMatchObject({ code: 'ERR_STORAGE_LOCKED', details: { pid: process.pid } });
    await broker.close();
    await (await Broker.open({ storage: new FileStorage(directory) })).close();
  });
});

describe('A broker whose disk', () => {
  it('was cut off in a write says what it cut, in an event and in its figures, and keeps what was confirmed', async () => {
    const { disk, storage } = on();
    const before = await Broker.open({ storage });
    const queue = before.queue<string>('orders');
    await queue.send('kept');
    await queue.send('x'.repeat(1500));
    disk.kill();
    await settled();
    const segment = disk.files().get('/data/0000000001.seg')!;
    const last = framesOf(segment, 1).at(-1)!;
    segment.fill(0, last.offset + 600, last.offset + 900);

    const after = await Broker.open({ storage: on(disk).storage });
    const warnings: BrokerEvents['warning'][] = [];
    after.on('warning', (event) => warnings.push(event));
    await settled();
    expect(warnings).toMatchObject([{ code: 'STORAGE_TORN_TAIL', details: { position: last.offset } }]);
    expect(after.stats().storage).toMatchObject({ tornTails: 1 });
    expect((await after.queue('orders').receive())!.body).toBe('kept');
    await after.close();
  });

  it('fails says so once, and rejects what it cannot keep', async () => {
    const { disk, storage } = on();
    const broker = await Broker.open({ storage });
    const errors: Error[] = [];
    broker.on('error', ({ error }) => errors.push(error));
    const queue = broker.queue('orders');
    await queue.send(1);
    disk.fault = (call, path) => (call === 'write' && path.endsWith('.seg') ? { error: 'EIO' } : undefined);
    await expect(queue.send(2)).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
    disk.fault = () => undefined;
    await expect(queue.send(3)).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
    expect(errors).toMatchObject([{ code: 'ERR_STORAGE_FAILED' }]);
    expect(broker.stats().storage).toMatchObject({ state: 'failed' });
    expect(queue.stats()).toMatchObject({ accepted: 1, ready: 1 });
    await broker.close();

    const again = await Broker.open({ storage: on(disk).storage });
    expect((await again.queue('orders').receive())!.body).toBe(1);
    await again.close();
  });

  it('is full rejects sends, takes acknowledgements, and goes on when it is drained', async () => {
    const { clock: disksClock, storage } = on(newDisk(), { maxBytes: 200_000 });
    const clock = new ManualClock();
    const broker = await Broker.open({ storage, clock });
    const codes: string[] = [];
    broker.on('warning', ({ code }) => codes.push(code));
    const queue = broker.queue<string>('orders');
    let sent = 0;
    const body = 'x'.repeat(1000);
    const full = async (): Promise<unknown> => {
      for (; sent < 1000; sent++) {
        try {
          await queue.send(body);
        } catch (error) {
          return error;
        }
      }
      return undefined;
    };
    expect(await full()).toMatchObject({ code: 'ERR_STORAGE_FULL' });
    expect(codes).toEqual(['STORAGE_NEARLY_FULL']);
    const patient = queue.send('patient', { retry: { attempts: Infinity, backoff: fixed('1s') } });
    expect(queue.stats()).toMatchObject({ ready: sent, accepted: sent });

    for (let n = 0; n < sent; n++) (await queue.receive())!.ack();
    await broker.flush();
    await disksClock.advance(1000);
    await disksClock.advance(1000);
    await clock.advance('1s');
    expect(await patient).toMatchObject({ destinations: ['orders'] });
    expect((await queue.receive())!.body).toBe('patient');
    await broker.close();
  });
});
