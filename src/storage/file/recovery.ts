import { Claims } from './claims.js';
import { settleHomes } from './coverage.js';
import { listDirectory } from './directory.js';
import type { Listing } from './directory.js';
import { isBefore } from './file-system.js';
import type { File, FileSystem, Position } from './file-system.js';
import { corrupt, indexName, segmentName } from './format.js';
import { FRAME_HEADER } from './frame.js';
import { IndexFile, NO_STATE } from './index-file.js';
import type { IndexSummary } from './index-file.js';
import { frameAt, headerAt, isTorn } from './probe.js';
import { LogTable } from './log-table.js';
import { Replay } from './replay.js';
import { scanSegment } from './scan.js';
import type { ScanStart } from './scan.js';
import { OpenPositions } from './open-positions.js';
import { Segment, Segments } from './segment.js';
import type { SealedRow } from './state.js';
import { findVoucher } from './vouchers.js';

/** What a directory holds, judged and found good. Nothing has been changed to find out. */
export interface Recovered {
  readonly table: LogTable;
  readonly segments: Segments;
  /** Where the next frame goes. */
  readonly end: Position;
  /** Everything before it was on the disk already. */
  readonly vouched: Position;
  /** Checksum of the last frame. */
  readonly lastChecksum: number;
  /** Bytes of the last state, and since it. */
  readonly stateBytes: number;
  readonly sinceState: number;
  /** The end is torn: there are bytes of a frame that was never whole. */
  readonly isTorn: boolean;
  /** Whether the active segment's file exists. */
  readonly hasActive: boolean;
  /** Segments that are not begun, and follow the active one. */
  readonly spares: readonly number[];
  /** Sealed segments whose index file is to be written. */
  readonly unindexed: readonly Segment[];
  /** Files that nothing needs: index files before their segments. */
  readonly obsolete: readonly string[];
}

/**
 * Finds out what is in a directory, and whether it is what was confirmed. docs/storage-format.md says why each step is
 * there. Reads the last segment; of the others the rows of their index files, and themselves only where those are missing.
 * @throws ERR_STORAGE_CORRUPT
 */
export async function recover(fs: FileSystem, directory: string, seed: number): Promise<Recovered> {
  return new Recovery(fs, directory, seed, await listDirectory(fs, directory, seed)).run();
}

class Recovery {
  private readonly fs: FileSystem;
  private readonly directory: string;
  private readonly seed: number;
  private readonly listing: Listing;
  private readonly table = new LogTable();
  private readonly unindexed: Segment[] = [];
  /** Damage in a segment that may turn out to hold nothing that is still needed. */
  private damage: Error | undefined;

  constructor(fs: FileSystem, directory: string, seed: number, listing: Listing) {
    this.fs = fs;
    this.directory = directory;
    this.seed = seed;
    this.listing = listing;
  }

  async run(): Promise<Recovered> {
    const { numbers } = this.listing;
    const last = await this.lastBegun();
    const number = last ?? 1;
    const later = numbers.filter((each) => each > number);
    later.forEach((each, i) => {
      if (each !== number + 1 + i) throw corrupt(this.path(number + 1 + i), 0, 'it is missing');
    });
    const hasActive = numbers.includes(number);
    if (!hasActive && later.length > 0) throw corrupt(this.path(number), 0, 'it is missing');
    await this.judgeIndexFiles(number, last !== undefined);

    const replay = new Replay(this.table, this.path(number));
    const active = new Segment(number);
    const { end, vouched, lastChecksum, run } =
      last === undefined ? this.fresh(active) : await this.replay(active, replay);
    const isClean = await this.judgeEnd(end, lastChecksum, later, hasActive);

    const sealed: Segment[] = [];
    for (const row of replay.sealed) {
      const segment = await this.sealed(row);
      if (segment !== undefined) sealed.push(segment);
    }
    const missing = settleHomes([...sealed, active], this.table);
    if (missing !== undefined) {
      throw this.damage ?? corrupt(this.directory, 0, `entries of log ${JSON.stringify(missing)} are in no segment`);
    }
    this.table.resetAssigned();
    const segments = new Segments(active);
    segments.sealed.push(...sealed);
    return {
      table: this.table,
      segments,
      end,
      vouched: isClean ? end : vouched,
      lastChecksum,
      stateBytes: replay.stateBytes,
      sinceState: end.offset - replay.stateAt,
      isTorn: hasActive && !isClean && (await this.read(number, (file) => isTorn(file, end, run))),
      hasActive,
      spares: later,
      unindexed: this.unindexed,
      obsolete: this.obsolete(number, new Set(sealed.map((segment) => segment.number))),
    };
  }

  /** The highest number whose file begins with an intact state. */
  private async lastBegun(): Promise<number | undefined> {
    for (const number of this.listing.numbers.toReversed()) {
      if ((await this.read(number, (file) => frameAt(file, number, 0, this.seed)))?.isState === true) return number;
    }
    return undefined;
  }

  /** An index file says that its segment was begun, and one of a sealed segment that the next was. */
  private async judgeIndexFiles(last: number, isBegun: boolean): Promise<void> {
    const { numbers, indexes } = this.listing;
    for (const number of indexes) {
      if (!numbers.includes(number)) throw corrupt(this.path(number), 0, 'it is missing, and its index file is there');
      if (number > last || !isBegun) throw corrupt(this.path(number), 0, 'it does not begin with an intact state');
    }
    if (!indexes.includes(last)) return;
    const summary = await this.index(last, (file) => Promise.resolve(file.summary));
    if (summary?.sealed === true)
      throw corrupt(this.path(last + 1), 0, 'it is missing or damaged: the one before it is sealed');
  }

  private fresh(active: Segment): { end: Position; vouched: Position; lastChecksum: number; run: number } {
    active.open = new OpenPositions();
    const end = { segment: active.number, offset: 0 };
    return { end, vouched: end, lastChecksum: 0, run: 0 };
  }

  /** Reads the last segment, from where its index file ends or from its start. */
  private async replay(
    active: Segment,
    replay: Replay,
  ): Promise<{ end: Position; vouched: Position; lastChecksum: number; run: number }> {
    const { number } = active;
    return this.read(number, async (file) => {
      const known = await this.index(number, async (index) => ({ summary: index.summary, whole: await index.whole() }));
      const prefix = known?.whole === undefined ? undefined : await this.prefix(file, number, known.summary, replay);
      const start: ScanStart =
        prefix === undefined
          ? { offset: 0, previous: undefined }
          : { offset: prefix.end, previous: prefix.lastChecksum, positions: new OpenPositions(known!.whole!) };
      let vouched: Position = { segment: number, offset: prefix?.end ?? 0 };
      const scan = await scanSegment(file, number, this.seed, start, {
        frame: (header, bytes, from, to) => {
          replay.frame(header, bytes, from, to);
          if (isBefore(vouched, header.synced)) vouched = header.synced;
        },
      });
      active.open = scan.positions;
      active.end = scan.end;
      active.prefix = prefix?.end ?? 0;
      active.firstChecksum = prefix?.firstChecksum ?? scan.firstChecksum;
      active.lastChecksum = scan.lastChecksum;
      if (known !== undefined && known.summary.end > scan.end) {
        throw corrupt(this.path(number), scan.end, `its index file knows it up to ${known.summary.end}`);
      }
      return {
        end: { segment: number, offset: scan.end },
        vouched,
        lastChecksum: scan.lastChecksum,
        run: scan.last?.run ?? 0,
      };
    });
  }

  /** The index file can be trusted as far as it goes if the state that ends there is intact: that has all trims in it. */
  private async prefix(
    file: File,
    number: number,
    summary: IndexSummary,
    replay: Replay,
  ): Promise<IndexSummary | undefined> {
    if (summary.stateAt === NO_STATE) return undefined;
    const [first, state] = [await headerAt(file, number, 0), await frameAt(file, number, summary.stateAt, this.seed)];
    if (first?.checksum !== summary.firstChecksum || state?.isState !== true) return undefined;
    const { header, bytes } = state;
    const ends = summary.stateAt + FRAME_HEADER + header.length === summary.end;
    if (!ends || header.checksum !== summary.lastChecksum) return undefined;
    replay.frame(header, bytes, FRAME_HEADER, FRAME_HEADER + header.length);
    return summary;
  }

  /** Nothing that was confirmed may lie behind the end. Returns whether a close has said that it is the end. */
  private async judgeEnd(
    end: Position,
    lastChecksum: number,
    later: readonly number[],
    hasActive: boolean,
  ): Promise<boolean> {
    const { clean } = this.listing;
    if (clean !== undefined && isBefore(end, clean)) {
      throw corrupt(this.path(end.segment), end.offset, `the storage was closed at ${clean.segment}/${clean.offset}`);
    }
    const isEnd = clean?.segment === end.segment && clean.offset === end.offset && clean.checksum === lastChecksum;
    if (isEnd) return true;
    for (const number of hasActive ? [end.segment, ...later] : []) {
      const from = number === end.segment ? end.offset : 0;
      const voucher = await this.read(number, (file) => findVoucher(file, number, from, end, this.seed));
      if (voucher === undefined) continue;
      const { synced } = voucher;
      throw corrupt(this.path(end.segment), end.offset, `it was on the disk up to ${synced.segment}/${synced.offset}`);
    }
    return false;
  }

  /** A sealed segment, by its index file or by itself. Undefined when it is damaged: which may not matter. */
  private async sealed(row: SealedRow): Promise<Segment | undefined> {
    const segment = new Segment(row.number);
    segment.end = row.end;
    segment.lastChecksum = row.lastChecksum;
    if (!this.listing.numbers.includes(row.number)) {
      this.damage ??= corrupt(this.path(row.number), 0, 'it is missing');
      return undefined;
    }
    return this.read(row.number, async (file) => {
      const first = await headerAt(file, row.number, 0);
      const known = await this.index(row.number, async (index) => ({
        summary: index.summary,
        rows: await index.rows(),
      }));
      const { summary, rows } = known ?? {};
      const fits = summary?.end === row.end && summary.lastChecksum === row.lastChecksum;
      if (rows !== undefined && fits && first?.checksum === summary.firstChecksum) {
        segment.firstChecksum = summary.firstChecksum;
        segment.claim(
          new Claims(rows),
          rows.counts.reduce((sum, count) => sum + count, 0),
        );
        return segment;
      }
      const scan = await scanSegment(file, row.number, this.seed, { offset: 0, previous: undefined });
      if (scan.end !== row.end || scan.lastChecksum !== row.lastChecksum) {
        this.damage ??= corrupt(this.path(row.number), Math.min(scan.end, row.end), `its frames end at ${row.end}`);
        return undefined;
      }
      segment.firstChecksum = scan.firstChecksum;
      segment.seal(scan.positions.pack());
      this.unindexed.push(segment);
      return segment;
    });
  }

  /** What a reclaim left behind, and a repeated zero-fill: segments that no state names. */
  private obsolete(active: number, needed: ReadonlySet<number>): string[] {
    const { numbers, indexes } = this.listing;
    const isObsolete = (number: number): boolean => number < active && !needed.has(number);
    return [
      ...indexes.filter(isObsolete).map((number) => `${this.directory}/${indexName(number)}`),
      ...numbers.filter(isObsolete).map((number) => this.path(number)),
    ];
  }

  private path(number: number): string {
    return `${this.directory}/${segmentName(number)}`;
  }

  private async read<T>(number: number, work: (file: File) => Promise<T>): Promise<T> {
    const file = await this.fs.open(this.path(number), 'read');
    try {
      return await work(file);
    } finally {
      await file.close();
    }
  }

  /** What `work` finds in an index file; undefined when there is none, or its header is damaged. */
  private async index<T>(number: number, work: (index: IndexFile) => Promise<T>): Promise<T | undefined> {
    if (!this.listing.indexes.includes(number)) return undefined;
    const file = await this.fs.open(`${this.directory}/${indexName(number)}`, 'read');
    try {
      const index = await IndexFile.open(file, number, this.seed);
      return index === undefined ? undefined : await work(index);
    } finally {
      await file.close();
    }
  }
}
