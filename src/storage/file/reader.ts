import { SluiceError } from '../../errors.js';
import type { ReadLimit, StoredEntry } from '../storage.js';
import { corrupt } from './format.js';
import type { File } from './file-system.js';
import { FRAME_HEADER } from './frame.js';
import { FrameCache } from './frame-cache.js';
import type { Log, LogTable } from './log-table.js';
import { COPY, ENTRY, RecordView } from './record.js';
import type { Positions, Run } from './segment-index.js';
import type { SegmentFiles } from './segment-files.js';
import type { Segment, Segments } from './segment.js';

/** Reads entries back: which segment is their home, where in it, and what the frame there says. */
export class Reader {
  private readonly segments: Segments;
  private readonly files: SegmentFiles;
  private readonly table: LogTable;
  private readonly frames: FrameCache;

  constructor(segments: Segments, files: SegmentFiles, table: LogTable) {
    this.segments = segments;
    this.files = files;
    this.table = table;
    this.frames = new FrameCache(files);
  }

  async read(name: string, from: number, limit: ReadLimit): Promise<StoredEntry[]> {
    const log = this.table.written.get(name);
    const found: StoredEntry[] = [];
    if (log === undefined) return found;
    const end = log.next;
    let bytes = 0;
    let offset = log.holes.skip(Math.max(from, log.first));
    while (offset < end && found.length < limit.entries && (bytes < limit.bytes || found.length === 0)) {
      const most = Math.min(limit.entries - found.length, end - offset);
      const taken = await this.some(log, offset, most, (record) => {
        found.push({ offset: record.offset, entry: decode(record, limit.head) });
        bytes += record.size;
        return bytes < limit.bytes;
      });
      offset = log.holes.skip(Math.max(offset + taken, log.first));
    }
    return found;
  }

  /**
   * Visits records of consecutive offsets from `offset` on, at most `most` and as long as `visit` says so, none of them
   * dropped and all of one segment. Returns how many. What is visited is valid during the visit only.
   */
  async some(log: Log, offset: number, most: number, visit: (record: RecordView) => boolean): Promise<number> {
    const segment = this.segments.locate(log, offset);
    if (segment === undefined) {
      // A read waits now and then, and meanwhile what it reads may be dropped.
      if (!log.isLive(offset) || this.table.byId.get(log.id) !== log) return 1;
      throw corrupt(this.files.directory, 0, `offset ${offset} of a log is in none of its segments`);
    }
    try {
      return await this.files.use(segment, async (file) => {
        const positions = await this.files.positions(segment);
        const run = positions.find(log.id, offset);
        if (run === undefined) throw corrupt(this.files.path(segment.number), 0, `its index lacks offset ${offset}`);
        const count = Math.min(run.count, most, log.holes.after(offset) - offset);
        return this.run(segment, file, positions, run, log, offset, count, visit);
      });
    } catch (error) {
      if (SluiceError.is(error)) throw error;
      const file = this.files.path(segment.number);
      throw new SluiceError('ERR_STORAGE_FAILED', `${file} cannot be read: ${(error as Error).message}`, {
        details: { file },
        cause: error,
      });
    }
  }

  private async run(
    segment: Segment,
    file: File,
    positions: Positions,
    run: Run,
    log: Log,
    offset: number,
    count: number,
    visit: (record: RecordView) => boolean,
  ): Promise<number> {
    const record = new RecordView(Buffer.alloc(0));
    let taken = 0;
    let goesOn = true;
    while (goesOn && taken < count) {
      const position = run.positions[run.at + taken]!;
      const at = positions.frameOf(position);
      const after = positions.frameAfter(position) ?? segment.end;
      goesOn = await this.frames.use(segment, file, at, Math.min(after, segment.end) - at, (bytes) => {
        record.bytes = bytes;
        while (taken < count) {
          const place = run.positions[run.at + taken]!;
          // Copies need not lie in the order of their offsets.
          if (place < at || place >= after) break;
          record.at = place - at;
          this.check(record, segment, log, offset + taken, at);
          taken++;
          if (!visit(record)) return false;
        }
        return true;
      });
    }
    return taken;
  }

  private check(record: RecordView, segment: Segment, log: Log, offset: number, at: number): void {
    const isThere =
      record.at >= FRAME_HEADER &&
      record.fits(record.bytes.byteLength) &&
      (record.kind === ENTRY || record.kind === COPY) &&
      record.log === log.id &&
      record.offset === offset;
    if (!isThere) throw corrupt(this.files.path(segment.number), at, `offset ${offset} is not where its index says`);
  }
}

function decode(record: RecordView, headOf: ReadLimit['head'] = parse): StoredEntry['entry'] {
  const { headLength, bodySize } = record;
  const both = record.shortText();
  if (both !== undefined) return { head: headOf(both, headLength, bodySize), body: both.slice(headLength) };
  const text = record.head();
  const head = headOf(text, text.length, bodySize);
  const body = record.body();
  return body === undefined ? { head } : { head, body };
}

function parse(text: string, length: number): object {
  return JSON.parse(text.slice(0, length)) as object;
}
