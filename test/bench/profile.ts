import { findSourceMap } from 'node:module';
import { Session, type HeapProfiler, type Profiler, type Runtime } from 'node:inspector';
import { basename, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Measure } from './row.js';

/** One function and its share of the whole. */
export interface Spot {
  readonly name: string;
  readonly share: number;
}

/** Where the time of some runs went, by function and without what it called; and where what they allocated was allocated. */
export interface Profile {
  readonly time: readonly Spot[];
  readonly allocations: readonly Spot[];
  /** Allocated per message, all in all. */
  readonly bytes: number;
}

/** Bytes between two samples. */
const SAMPLING_INTERVAL = 8192;
const ROOT = process.cwd();

export async function profile(measure: Measure, runs: number): Promise<Profile> {
  const session = new Session();
  session.connect();
  const time = await cpu(session, measure, runs);
  const { allocations, bytes } = await heap(session, measure, runs);
  session.disconnect();
  return { time, allocations, bytes };
}

async function cpu(session: Session, measure: Measure, runs: number): Promise<readonly Spot[]> {
  await call(session, 'Profiler.enable');
  await call(session, 'Profiler.setSamplingInterval', { interval: 200 });
  await call(session, 'Profiler.start');
  for (let run = 0; run < runs; run++) await measure();
  const { profile } = (await call(session, 'Profiler.stop')) as Profiler.StopReturnType;
  const spots = new Map<string, number>();
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, named(callFrame)]));
  profile.samples!.forEach((id, n) => {
    const name = names.get(id)!;
    if (name !== '(idle)') spots.set(name, (spots.get(name) ?? 0) + profile.timeDeltas![n]!);
  });
  return ranked(spots);
}

async function heap(session: Session, measure: Measure, runs: number): Promise<Pick<Profile, 'allocations' | 'bytes'>> {
  // Garbage counts: what is allocated has to be collected.
  await call(session, 'HeapProfiler.startSampling', {
    samplingInterval: SAMPLING_INTERVAL,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  let messages = 0;
  for (let run = 0; run < runs; run++) messages += (await measure())['messages'] ?? 0;
  const { profile } = (await call(session, 'HeapProfiler.stopSampling')) as HeapProfiler.StopSamplingReturnType;
  const spots = new Map<string, number>();
  const visit = (node: HeapProfiler.SamplingHeapProfileNode): void => {
    const name = named(node.callFrame);
    if (node.selfSize > 0) spots.set(name, (spots.get(name) ?? 0) + node.selfSize);
    node.children.forEach(visit);
  };
  visit(profile.head);
  const total = [...spots.values()].reduce((sum, value) => sum + value, 0);
  return { allocations: ranked(spots), bytes: total / messages };
}

function ranked(spots: ReadonlyMap<string, number>): readonly Spot[] {
  const total = [...spots.values()].reduce((sum, value) => sum + value, 0);
  return [...spots]
    .map(([name, value]) => ({ name, share: value / total }))
    .sort((one, other) => other.share - one.share);
}

/** The function, and the source file it was compiled from. */
function named({ functionName, url, lineNumber, columnNumber }: Runtime.CallFrame): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (!url.startsWith('file:')) return url === '' ? name : `${name}, ${url}`;
  const entry = findSourceMap(fileURLToPath(url))?.findEntry(lineNumber, columnNumber);
  if (entry === undefined || !('originalSource' in entry)) return `${name}, ${basename(url)}`;
  const short = name.slice(name.lastIndexOf('.') + 1);
  return `${short}, ${relative(ROOT, fileURLToPath(entry.originalSource))}`;
}

function call(session: Session, method: string, parameters: object = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    session.post(method, parameters, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
}
