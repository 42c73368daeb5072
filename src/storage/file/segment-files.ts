import { corrupt, indexName, segmentName } from './format.js';
import { codeOf, readAll, replaceFile } from './file-system.js';
import type { File, FileSystem } from './file-system.js';
import { FRAME_HEADER, isIntact, readHeader } from './frame.js';
import { encodeIndex, IndexFile, NO_STATE } from './index-file.js';
import { scanSegment } from './scan.js';
import { PackedPositions } from './segment-index.js';
import type { Positions } from './segment-index.js';
import type { Prefix, Segment } from './segment.js';

/** Files kept open for reading, and indexes of sealed segments kept in memory: a few, whatever the number of segments. */
const KEPT_FILES = 8;
const KEPT_INDEXES = 4;

/** The segments' files as readers use them: opened when needed, their indexes read when needed, a few of each kept. */
export class SegmentFiles {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly seed: number;
  /** By number, the least recently used first. */
  private readonly files = new Map<number, { readonly file: Promise<File>; users: number }>();
  private readonly indexes = new Map<number, Promise<PackedPositions>>();

  constructor(fs: FileSystem, directory: string, seed: number) {
    this.fs = fs;
    this.directory = directory;
    this.seed = seed;
  }

  path(segment: number): string {
    return `${this.directory}/${segmentName(segment)}`;
  }

  /** Runs `work` with the file open, and the segment safe from being reclaimed. */
  async use<T>(segment: Segment, work: (file: File) => Promise<T>): Promise<T> {
    const { number } = segment;
    segment.readers++;
    const kept = this.files.get(number) ?? { file: this.fs.open(this.path(number), 'read'), users: 0 };
    this.files.delete(number);
    this.files.set(number, kept);
    kept.users++;
    try {
      return await work(await kept.file);
    } catch (error) {
      // Not to be found again, if opening it is what failed.
      void kept.file.catch(() => this.files.delete(number));
      throw error;
    } finally {
      kept.users--;
      segment.readers--;
      await this.evict();
    }
  }

  /** Where the entries of a segment are: at hand, from its index file, or by scanning it. */
  async positions(segment: Segment): Promise<Positions> {
    const at = segment.open ?? segment.packed;
    if (at !== undefined) return at;
    const { number } = segment;
    const loading = this.indexes.get(number) ?? this.load(segment);
    this.indexes.delete(number);
    this.indexes.set(number, loading);
    for (const oldest of this.indexes.keys()) {
      if (this.indexes.size <= KEPT_INDEXES) break;
      this.indexes.delete(oldest);
    }
    try {
      return await loading;
    } catch (error) {
      this.indexes.delete(number);
      throw error;
    }
  }

  /** Writes an index file of the active segment. Everything before its end has to be on the disk. */
  async writePrefix({ number, firstChecksum }: Segment, { index, ...prefix }: Prefix): Promise<void> {
    const summary = { ...prefix, segment: number, sealed: false, firstChecksum };
    await replaceFile(this.fs, `${this.directory}/${indexName(number)}`, encodeIndex(summary, index, this.seed));
  }

  /** Writes the index file of a sealed segment; what was in memory of it may go then. */
  async writeIndex(segment: Segment): Promise<void> {
    const { packed, number } = segment;
    if (packed === undefined) return;
    const summary = {
      segment: number,
      sealed: true,
      end: segment.end,
      lastChecksum: segment.lastChecksum,
      firstChecksum: segment.firstChecksum,
      stateAt: NO_STATE,
    };
    await replaceFile(this.fs, `${this.directory}/${indexName(number)}`, encodeIndex(summary, packed.index, this.seed));
    segment.packed = undefined;
    this.indexes.set(number, Promise.resolve(packed));
  }

  /** Forgets a segment that nobody reads. */
  async forget(number: number): Promise<void> {
    this.indexes.delete(number);
    const kept = this.files.get(number);
    this.files.delete(number);
    if (kept !== undefined) await (await kept.file).close();
  }

  async close(): Promise<void> {
    for (const number of this.files.keys()) await this.forget(number);
  }

  private async load(segment: Segment): Promise<PackedPositions> {
    return (await this.loadIndex(segment)) ?? (await this.rebuild(segment));
  }

  private async loadIndex(segment: Segment): Promise<PackedPositions | undefined> {
    let file: File;
    try {
      file = await this.fs.open(`${this.directory}/${indexName(segment.number)}`, 'read');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const index = await IndexFile.open(file, segment.number, this.seed);
      if (index === undefined || index.summary.end !== segment.end) return undefined;
      if (index.summary.firstChecksum !== segment.firstChecksum) return undefined;
      const whole = await index.whole();
      return whole === undefined ? undefined : new PackedPositions(whole);
    } finally {
      await file.close();
    }
  }

  /** The index file is missing or damaged: the segment says it all. */
  private rebuild(segment: Segment): Promise<PackedPositions> {
    return this.use(segment, async (file) => {
      const scan = await scanSegment(file, segment.number, this.seed, { offset: 0, previous: undefined });
      if (scan.end !== segment.end) throw corrupt(this.path(segment.number), scan.end, 'its frames end too early');
      return new PackedPositions(scan.positions.pack());
    });
  }

  private async evict(): Promise<void> {
    if (this.files.size <= KEPT_FILES) return;
    for (const [number, kept] of this.files) {
      if (kept.users > 0) continue;
      this.files.delete(number);
      await (await kept.file).close();
      if (this.files.size <= KEPT_FILES) return;
    }
  }

  /** Reads into `bytes` what begins at `at`, and checks it: as many frames as are whole in that, by where they begin; one at least. */
  async frames(segment: Segment, file: File, at: number, bytes: Buffer): Promise<Map<number, Buffer>> {
    const found = new Map<number, Buffer>();
    const read = bytes.subarray(0, await readAll(file, bytes, at));
    for (let from = 0; ;) {
      const header = readHeader(read, from, segment.number, at + from);
      if (header === undefined || !isIntact(read, from, header, this.seed)) break;
      const to = from + FRAME_HEADER + header.length;
      found.set(at + from, read.subarray(from, to));
      from = to;
    }
    if (found.size > 0) return found;
    throw corrupt(this.path(segment.number), at, 'a frame in the middle of it is not what was written');
  }
}
