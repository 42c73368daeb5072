import { closeSync, constants, fdatasync, fdatasyncSync, openSync, write, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Reach, Sender } from './sender.js';
import { BODY, order } from './sender.js';

/**
 * The limit: bodies go one after the other, each behind its length, into one buffer; when the event loop turns that is written
 * with one call and synced with another, while the next buffer fills; then all who waited go on. One promise per send. No
 * envelope, no checksum, no offsets, no index, no second file, and nobody could read it back after a torn write.
 */
export function openBare(directory: string, reach: Reach): Sender {
  const loop = new GroupCommit(join(directory, 'log'), reach === 'disk');
  return { send: () => loop.sendBytes(BODY) };
}

/** As openBare(), and the body is an object that becomes JSON. */
export function openBareJson(directory: string, reach: Reach): Sender {
  const loop = new GroupCommit(join(directory, 'log'), reach === 'disk');
  return { send: (n) => loop.sendText(JSON.stringify(order(n))) };
}

/** As openBare(), into a file that is there already, full of zeros, with one call that writes and syncs. */
export function openBarePreallocated(directory: string): Sender {
  const loop = new GroupCommit(join(directory, 'log'), true, 256 * 1024 * 1024);
  return { send: () => loop.sendBytes(BODY) };
}

class GroupCommit {
  private readonly fd: number;
  private readonly sync: boolean;
  private readonly size: number;
  private position = 0;
  private buffer = Buffer.allocUnsafeSlow(1024 * 1024);
  private spare = Buffer.allocUnsafeSlow(1024 * 1024);
  private length = 0;
  private waiters: (() => void)[] = [];
  private busy = false;

  constructor(path: string, sync: boolean, size = 0) {
    const { O_RDWR, O_CREAT, O_DSYNC } = constants;
    if (size > 0) preallocate(path, size);
    this.size = size;
    this.fd = openSync(path, O_RDWR | O_CREAT | (size > 0 ? O_DSYNC : 0));
    this.sync = sync && size === 0;
  }

  sendBytes(body: Uint8Array): Promise<void> {
    const { buffer, length } = this;
    buffer.writeUInt32LE(body.byteLength, length);
    buffer.set(body, length + 4);
    this.length = length + 4 + body.byteLength;
    return this.wait();
  }

  sendText(body: string): Promise<void> {
    const written = this.buffer.write(body, this.length + 4);
    this.buffer.writeUInt32LE(written, this.length);
    this.length += 4 + written;
    return this.wait();
  }

  private wait(): Promise<void> {
    if (!this.busy) {
      this.busy = true;
      setImmediate(this.commit);
    }
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  private readonly commit = (): void => {
    const { buffer, length, waiters } = this;
    this.buffer = this.spare;
    this.spare = buffer;
    this.length = 0;
    this.waiters = [];
    const done = (error: Error | null): void => {
      if (error !== null) throw error;
      for (const resolve of waiters) resolve();
      if (this.waiters.length > 0) setImmediate(this.commit);
      else this.busy = false;
    };
    if (this.size > 0 && this.position + length > this.size) this.position = 0;
    write(this.fd, buffer, 0, length, this.position, (error) => {
      if (error === null && this.sync) fdatasync(this.fd, done);
      else done(error);
    });
    this.position += length;
  };
}

function preallocate(path: string, size: number): void {
  const fd = openSync(path, 'w');
  const zeros = Buffer.alloc(4 * 1024 * 1024);
  for (let at = 0; at < size; at += zeros.byteLength) writeSync(fd, zeros, 0, zeros.byteLength, at);
  fdatasyncSync(fd);
  closeSync(fd);
}
