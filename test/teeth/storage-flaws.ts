import type { Flaw } from './flaws.js';

const POWER = 'crash/power.test.ts';
const FAULTS = 'crash/faults.test.ts';
const BYTES = 'crash/bytes.test.ts';
const LOCK = 'crash/lock.test.ts';
const STORAGE = 'storage/file/file-storage.test.ts';
const RECOVERY = 'storage/file/recovery.test.ts';
const SPACE = 'storage/file/space.test.ts';
const LOOK_AHEAD = 'storage/file/look-ahead.test.ts';
const MACHINE = 'storage/file/node-file-system.test.ts';
const FORMAT = 'storage/file/storage-format.test.ts';

const at = (file: string): string => `storage/file/${file}`;

/** One at a time: what reaches the disk and when, what is believed when it is read back, what is given back, who may write. */
export const storageFlaws: readonly Flaw[] = [
  // Reaching the disk
  {
    name: 'storage: a file is not opened to write through to the disk',
    file: at('spares.ts'),
    find: "through ? await fs.open(path, 'edit', true) : undefined",
    replace: "through ? await fs.open(path, 'edit', false) : undefined",
    tests: [POWER],
  },
  {
    name: 'storage: a sync syncs nothing',
    file: at('appender.ts'),
    find: 'this.flushing = this.file.plain.sync();',
    replace: 'this.flushing = Promise.resolve();',
    tests: [STORAGE, POWER],
  },
  {
    name: 'storage: a sync that failed is tried again',
    file: at('appender.ts'),
    find: 'if (this.failure !== undefined) throw this.failure;',
    replace: '',
    tests: [STORAGE, POWER],
  },
  {
    name: 'storage: what was written without a sync is not written again with the next write through',
    file: at('appender.ts'),
    find: 'const before = this.unsynced;',
    replace: 'const before: Uint8Array[] = [];',
    tests: [STORAGE, POWER],
  },
  {
    name: 'storage: a segment is left before it is on the disk',
    file: at('appender.ts'),
    find: 'await this.sync();\n    while',
    replace: 'while',
    tests: [POWER],
  },
  {
    name: 'storage: a write does not wait for the zeros ahead of it',
    file: at('appender.ts'),
    find: 'if (zeros !== undefined) await zeros;',
    replace: '',
    tests: [LOOK_AHEAD],
  },
  {
    name: 'storage: the name of a new segment is not synced',
    file: at('spares.ts'),
    find: "'make', this.through);\n      await this.fs.syncDirectory(this.directory);",
    replace: "'make', this.through);",
    tests: [POWER],
  },
  {
    name: 'storage: the new name of a segment that is used again is not synced',
    file: at('spares.ts'),
    find: '${segmentName(to)}`);\n      await this.fs.syncDirectory(this.directory);',
    replace: '${segmentName(to)}`);',
    tests: [POWER],
  },
  {
    name: 'storage: the names are not synced at an opening',
    file: at('settle.ts'),
    find: 'await fs.syncDirectory(directory);\n    return',
    replace: 'return',
    tests: [RECOVERY],
  },
  {
    name: 'storage: what was recovered is not synced before anything is written after it',
    file: at('settle.ts'),
    find: 'await vouch(active, recovered.vouched, end);',
    replace: '',
    tests: [POWER],
  },
  {
    name: 'storage: the header of a torn frame stays',
    file: at('settle.ts'),
    find: 'await scrub(active.plain, end.offset);',
    replace: '',
    tests: [RECOVERY],
  },
  {
    name: 'storage: the names that a close leaves are not synced',
    file: at('file-store.ts'),
    find: '[encodeClean(end, seed)]);\n    await fs.syncDirectory(directory);',
    replace: '[encodeClean(end, seed)]);',
    tests: [RECOVERY],
  },
  {
    name: 'storage: a file is renamed into place before it is on the disk',
    file: at('file-system.ts'),
    find: 'await file.sync();\n  } catch',
    replace: '} catch',
    tests: [POWER],
  },
  {
    name: 'storage: a short write is taken for a whole one',
    file: at('file-system.ts'),
    find: 'if (written === total) return;',
    replace: 'if (written > 0) return;',
    tests: [STORAGE],
  },
  {
    name: 'storage: a write of nothing is tried for ever',
    file: at('file-system.ts'),
    find: "if (written <= 0) throw Object.assign(new Error(`nothing was written of ${total} bytes`), { code: 'EIO' });",
    replace: '',
    tests: [STORAGE],
  },
  {
    name: 'storage: after a write that failed it goes on',
    file: at('writer.ts'),
    find: 'this.failure = error;',
    replace: '',
    tests: [STORAGE],
  },
  {
    name: 'storage: an index is written before what it is about is on the disk',
    file: at('reclaimer.ts'),
    find: 'await this.parts.appender.sync();\n    await this.parts.files.writePrefix',
    replace: 'await this.parts.files.writePrefix',
    tests: [POWER],
  },

  // Reading back
  {
    name: 'storage: no checksum is compared',
    file: at('frame.ts'),
    find: 'crc32(bytes.subarray(at + 8, end), seed) === header.checksum',
    replace: 'header.checksum === header.checksum',
    tests: [POWER, BYTES],
  },
  {
    name: 'storage: checksums of all directories begin alike',
    file: at('directory.ts'),
    find: 'const seed = fs.random();',
    replace: 'const seed = 0;',
    tests: [FORMAT],
  },
  {
    name: 'storage: a frame need not stand where it says',
    file: at('frame.ts'),
    find: 'if (bytes.readUInt32LE(at + 12) !== segment || bytes.readUInt32LE(at + 16) !== offset) return undefined;',
    replace: '',
    tests: [POWER, BYTES],
  },
  {
    name: 'storage: a frame need not follow the one before it',
    file: at('scan.ts'),
    find: '(previous !== undefined && header.previous !== previous)',
    replace: '(previous === null)',
    tests: [RECOVERY],
  },
  {
    name: 'storage: a write that was refused leaves its run',
    file: at('chain.ts'),
    find: 'this.previous = previous;\n    this.run = this.random();',
    replace: 'this.previous = previous;',
    tests: [RECOVERY],
  },
  {
    name: 'storage: a frame vouches for itself',
    file: at('writer.ts'),
    find: 'return { segment, offset, synced };',
    replace: 'return { segment, offset, synced: { segment, offset: offset + 1 } };',
    tests: [POWER],
  },
  {
    name: 'storage: no frame vouches for anything',
    file: at('writer.ts'),
    find: 'return { segment, offset, synced };',
    replace: 'return { segment, offset, synced: { ...synced, segment: 1, offset: 0 } };',
    tests: [RECOVERY],
  },
  {
    name: 'storage: an idle storage does not write down that all is on the disk',
    file: at('flusher.ts'),
    find: 'this.writer.mark().catch',
    replace: 'Promise.resolve().catch',
    tests: [RECOVERY],
  },
  {
    name: 'storage: nobody looks behind the end',
    file: at('recovery.ts'),
    find: 'if (voucher === undefined) continue;',
    replace: 'if (voucher !== null) continue;',
    tests: [RECOVERY],
  },
  {
    name: 'storage: a close of which the end is missing is forgotten',
    file: at('recovery.ts'),
    find: 'if (clean !== undefined && isBefore(end, clean)) {',
    replace: 'if (clean === null) {',
    tests: [RECOVERY, BYTES],
  },
  {
    name: 'storage: the word of a close outlives what is written after it',
    file: at('settle.ts'),
    find: "name.endsWith('.tmp') || name === CLEAN_FILE",
    replace: "name.endsWith('.tmp')",
    tests: [RECOVERY],
  },
  {
    name: 'storage: an index file without its segment is overlooked',
    file: at('recovery.ts'),
    find: "if (!numbers.includes(number)) throw corrupt(this.path(number), 0, 'it is missing, and its index file is there');",
    replace: 'if (!numbers.includes(number)) continue;',
    tests: [RECOVERY, BYTES],
  },
  {
    name: 'storage: entries that are nowhere are not missed',
    file: at('recovery.ts'),
    find: 'if (missing !== undefined) {',
    replace: 'if (missing === null) {',
    tests: [RECOVERY, BYTES],
  },
  {
    name: 'storage: the checksum of an index file is not compared',
    file: at('index-file.ts'),
    find: 'if (crc32(bytes, this.seed) !== restChecksum) return undefined;',
    replace: '',
    tests: [RECOVERY, BYTES],
  },
  {
    name: 'storage: a later version is read as if it were this one',
    file: at('format.ts'),
    find: 'if (version !== VERSION) {',
    replace: 'if (version === 0) {',
    tests: [RECOVERY],
  },
  {
    name: 'storage: of two copies of an entry both count',
    file: at('coverage.ts'),
    find: 'if (from < sum.end) sum.isMixed = true;',
    replace: '',
    tests: [POWER],
  },

  // Space
  {
    name: 'storage: a state forgets what was trimmed',
    file: at('state.ts'),
    find: 'target.record(STATE_LOG, log.first, log.id, log.name, body);',
    replace: 'target.record(STATE_LOG, 0, log.id, log.name, body);',
    tests: [RECOVERY],
  },
  {
    name: 'storage: a state forgets holes',
    file: at('state.ts'),
    find: 'for (let i = 0; i < holes.length; i++) {',
    replace: 'for (let i = 0; i < 0; i++) {',
    tests: [POWER, RECOVERY],
  },
  {
    name: 'storage: a segment is given back before what emptied it is on the disk',
    file: at('reclaimer.ts'),
    find: 'await appender.sync();\n    if (segment.readers > 0) return;',
    replace: 'if (segment.readers > 0) return;',
    tests: [SPACE],
  },
  {
    name: 'storage: a segment is taken from under its readers',
    file: at('segment-files.ts'),
    find: 'segment.readers++;',
    replace: '',
    tests: [SPACE],
  },
  {
    name: 'storage: the index file of a segment that was given back stays',
    file: at('reclaimer.ts'),
    find: 'await removeIfThere(files.fs, `${files.directory}/${indexName(segment.number)}`);',
    replace: '',
    tests: [POWER, SPACE],
  },
  {
    name: 'storage: messages are written without a reserve behind them',
    file: at('writer.ts'),
    find: 'if (group.hasBodies && !reserve.isThere) await reserve.make();',
    replace: '',
    tests: [SPACE],
  },
  {
    name: 'storage: what a refused group left of itself stays',
    file: at('writer.ts'),
    find: 'await appender.undo();',
    replace: '',
    tests: [SPACE],
  },
  {
    name: 'storage: a refused batch keeps its offsets',
    file: at('writer.ts'),
    find: 'this.parts.table.resetAssigned();',
    replace: '',
    tests: [SPACE, FAULTS],
  },
  {
    name: 'storage: acknowledgements are refused with the messages beside them',
    file: at('writer.ts'),
    find: 'if (again.members.length > 0) this.queue.push(again);',
    replace: 'again.reject(full);',
    tests: [SPACE],
  },
  {
    name: 'storage: keepFree is not kept free',
    file: at('space.ts'),
    find: 'if (this.free < keepFree) {',
    replace: 'if (this.free < 0) {',
    tests: [SPACE],
  },

  // Who may write
  {
    name: 'storage: a living owner is not respected',
    file: at('lock.ts'),
    find: 'if (await this.fs.isAlive(there)) throw this.locked(directory, there);',
    replace: '',
    tests: [STORAGE, LOCK],
  },
  {
    name: 'storage: a reused pid is taken for the owner',
    file: at('node-file-system.ts'),
    find: "started === '' || owner.started === '' || started === owner.started",
    replace: "started !== ''",
    tests: [MACHINE, LOCK],
  },
  {
    name: 'storage: a zombie is taken for the owner',
    file: at('node-file-system.ts'),
    find: "const dead = fields[0] === 'Z' || fields[0] === 'X';",
    replace: 'const dead = false;',
    tests: [MACHINE],
  },
  {
    name: 'storage: two that replace a stale lock both win',
    file: at('lock.ts'),
    find: 'if ((await this.read(path))?.token !== there.token) continue;',
    replace: '',
    tests: [RECOVERY],
  },
];
