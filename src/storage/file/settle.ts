import { Appender } from './appender.js';
import { readAll, removeIfThere, writeAll } from './file-system.js';
import type { File, FileSystem, Position } from './file-system.js';
import { CLEAN_FILE, segmentName } from './format.js';
import { FRAME_HEADER, ZEROED_HEADER } from './frame.js';
import type { Recovered } from './recovery.js';
import { closeSpare, openSpare } from './spares.js';
import type { Spare } from './spares.js';

/** Written again at a time. Bytes. */
const REWRITTEN = 1024 * 1024;
/** More spares than this are given back to the disk. */
const MOST_SPARES = 1;

export interface Settled {
  readonly appender: Appender;
  readonly spares: readonly Spare[];
}

/**
 * Makes what recovery accepted the truth on the disk, before anything is written after it. If any of it fails, the
 * directory is as good as before.
 */
export async function settle(
  fs: FileSystem,
  directory: string,
  recovered: Recovered,
  isSync: boolean,
): Promise<Settled> {
  const { end, spares, hasActive } = recovered;
  const through = isSync && fs.writesThrough;
  const opened: Spare[] = [];
  try {
    for (const name of await fs.readdir(directory)) {
      if (name.endsWith('.tmp') || name === CLEAN_FILE) await removeIfThere(fs, `${directory}/${name}`);
    }
    for (const path of recovered.obsolete) await removeIfThere(fs, path);
    const active = await openSpare(fs, directory, end.segment, hasActive ? 'edit' : 'make', through);
    opened.push(active);
    for (const number of spares) opened.push(await openSpare(fs, directory, number, 'edit', through));
    await scrub(active.plain, end.offset);
    await vouch(active, recovered.vouched, end);
    for (const spare of opened.slice(1)) {
      if (await scrub(spare.plain, 0)) await spare.plain.sync();
    }
    for (const extra of opened.splice(1 + MOST_SPARES).toReversed()) {
      await closeSpare(extra);
      await removeIfThere(fs, `${directory}/${segmentName(extra.number)}`);
    }
    await fs.syncDirectory(directory);
    return { appender: new Appender(active, end.offset, end), spares: opened.slice(1) };
  } catch (error) {
    for (const spare of opened) await closeSpare(spare);
    throw error;
  }
}

/**
 * The header of a torn frame goes: its lost tail could be completed by equal bytes of the frame that is written over it,
 * and what was cut would be back.
 */
async function scrub(file: File, at: number): Promise<boolean> {
  const bytes = Buffer.alloc(FRAME_HEADER);
  const there = await readAll(file, bytes, at);
  if (bytes.every((byte) => byte === 0)) return false;
  await writeAll(file, [ZEROED_HEADER.subarray(0, there)], at);
  return true;
}

/**
 * The next frame will say that everything before it is on the disk. What an earlier process left in the page cache after an
 * error may never get there by a sync: those pages count as clean. So it is written again.
 */
async function vouch(active: Spare, vouched: Position, end: Position): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(REWRITTEN);
  const from = vouched.segment === end.segment ? vouched.offset : 0;
  for (let at = from; at < end.offset; at += buffer.byteLength) {
    const bytes = buffer.subarray(0, Math.min(buffer.byteLength, end.offset - at));
    await readAll(active.plain, bytes, at);
    await writeAll(active.plain, [bytes], at);
  }
  await active.plain.sync();
}
