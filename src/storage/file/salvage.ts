import { settleHomes } from './coverage.js';
import { isBefore } from './file-system.js';
import type { File, FileSystem } from './file-system.js';
import { segmentName } from './format.js';
import { FRAME_ALIGNMENT, FRAME_MAGIC_BYTES, STATE } from './frame.js';
import type { FrameHeader } from './frame.js';
import { Log, LogTable } from './log-table.js';
import { frameAt } from './probe.js';
import type { ProbedFrame } from './probe.js';
import { Ranges } from './ranges.js';
import { DROP, ENTRY, LOG, RecordView, REMOVE } from './record.js';
import { scanSegment } from './scan.js';
import type { ScanVisitor } from './scan.js';
import { OpenPositions } from './open-positions.js';
import { Segment, Segments } from './segment.js';
import { decodeState, dropEnd } from './state.js';
import { readAll } from './file-system.js';

/** Bytes of a file that are no frames that anybody can trust. */
export interface Damage {
  readonly file: string;
  readonly from: number;
  readonly to: number;
}

/** Entries that were confirmed, and are nowhere any more. */
export interface Loss {
  readonly log: string;
  readonly from: number;
  readonly to: number;
}

export interface Salvage {
  readonly table: LogTable;
  readonly segments: Segments;
  readonly damage: readonly Damage[];
  readonly losses: readonly Loss[];
}

/** Read at once when looking for the next frame behind damage. Bytes. */
const WINDOW = 1024 * 1024;

/**
 * Reads every frame of every segment that can be trusted, and finds out what is left of what was confirmed. Behind damage
 * it goes on at the next frame that says of itself that what is damaged had been on the disk: so nothing comes back that
 * was cut or refused.
 */
export async function salvage(
  fs: FileSystem,
  directory: string,
  seed: number,
  numbers: readonly number[],
): Promise<Salvage> {
  const table = new LogTable();
  const damage: Damage[] = [];
  const ends = new Map<number, number>();
  const sealed: Segment[] = [];
  for (const number of numbers) {
    const path = `${directory}/${segmentName(number)}`;
    const file = await fs.open(path, 'read');
    try {
      const segment = await walk(file, path, number, seed, new Tolerant(table, ends), damage);
      if (segment.end > 0) sealed.push(segment);
    } finally {
      await file.close();
    }
  }
  for (const segment of sealed) {
    const end = ends.get(segment.number) ?? segment.end;
    const file = `${directory}/${segmentName(segment.number)}`;
    if (segment.end < end) damage.push({ file, from: segment.end, to: end });
  }
  const losses = concede(table, sealed);
  const none = new Segment(0);
  none.open = new OpenPositions();
  const segments = new Segments(none);
  segments.sealed.push(...sealed);
  settleHomes(sealed, table);
  return { table, segments, damage, losses };
}

async function walk(
  file: File,
  path: string,
  number: number,
  seed: number,
  tolerant: Tolerant,
  damage: Damage[],
): Promise<Segment> {
  const segment = new Segment(number);
  const positions = new OpenPositions();
  for (let offset = 0; ;) {
    const scan = await scanSegment(file, number, seed, { offset, previous: undefined, positions }, tolerant);
    segment.end = scan.end;
    segment.lastChecksum = scan.lastChecksum;
    const next = await nextTrusted(file, number, scan.end, seed);
    if (next === undefined) break;
    offset = next.header.offset;
    damage.push({ file: path, from: scan.end, to: offset });
  }
  segment.seal(positions.pack());
  return segment;
}

/** The next intact frame that knew everything before it, `offset` included, on the disk. */
async function nextTrusted(file: File, number: number, offset: number, seed: number): Promise<ProbedFrame | undefined> {
  const size = await file.size();
  const bytes = Buffer.allocUnsafeSlow(WINDOW + FRAME_MAGIC_BYTES.byteLength);
  for (let base = offset; base < size; base += WINDOW) {
    const window = bytes.subarray(0, await readAll(file, bytes, base));
    for (let at = window.indexOf(FRAME_MAGIC_BYTES); at >= 0; at = window.indexOf(FRAME_MAGIC_BYTES, at + 1)) {
      if (at >= WINDOW || (base + at) % FRAME_ALIGNMENT !== 0) continue;
      const frame = await frameAt(file, number, base + at, seed);
      if (frame !== undefined && isBefore({ segment: number, offset }, frame.header.synced)) return frame;
    }
  }
  return undefined;
}

/** Applies frames with some missing between them. */
class Tolerant implements ScanVisitor {
  private readonly table: LogTable;
  /** Where segments end, as later ones say. */
  private readonly ends: Map<number, number>;

  constructor(table: LogTable, ends: Map<number, number>) {
    this.table = table;
    this.ends = ends;
  }

  frame(header: FrameHeader, bytes: Buffer, from: number, to: number): void {
    if ((header.flags & STATE) !== 0) return this.state(bytes, from, to);
    const record = new RecordView(bytes, from);
    for (; record.fits(to); record.at = record.next) this.record(record);
  }

  private state(bytes: Buffer, from: number, to: number): void {
    const state = decodeState(bytes, from, to);
    if (state === undefined) return;
    for (const { number, end } of state.segments) this.ends.set(number, end);
    const { table } = this;
    table.written.clear();
    table.byId.clear();
    for (const log of state.logs) table.declare(log);
    table.nextId = Math.max(table.nextId, state.nextId);
  }

  private record(record: RecordView): void {
    const { table } = this;
    const { kind, log: id, offset } = record;
    if (kind === LOG) return table.declare(new Log(id, record.head()));
    let log = table.byId.get(id);
    if (kind === ENTRY) {
      // Its name was in what is lost: the entries still are somebody's.
      if (log === undefined) table.declare((log = new Log(id, `salvaged-${id}`)));
      log.next = Math.max(log.next, offset + 1);
    } else if (log !== undefined && kind === DROP) {
      log.next = Math.max(log.next, dropEnd(record));
      log.drop(offset, dropEnd(record), () => {});
    } else if (log !== undefined && kind === REMOVE) {
      table.remove(log);
    }
  }
}

/** What is nowhere becomes a hole. */
function concede(table: LogTable, segments: readonly Segment[]): Loss[] {
  const losses: Loss[] = [];
  for (const log of table.written.values()) {
    const covered = new Ranges();
    const gone: { from: number; to: number }[] = [];
    for (const segment of segments) segment.overlap(log.id, log.first, log.next, (from, to) => covered.add(from, to));
    log.holes.gaps(log.first, log.next, (from, to) => {
      covered.gaps(from, to, (start, end) => gone.push({ from: start, to: end }));
    });
    for (const { from, to } of gone) {
      losses.push({ log: log.name, from, to });
      log.drop(from, to, () => {});
    }
  }
  return losses;
}
