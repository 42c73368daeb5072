import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker, type Clock, type Consumer, systemClock, type Topic } from 'sluice';
import { pause, Remote } from '../stage/remote.js';
import { Progress, standardOutput, styled, type Terminal } from '../stage/terminal.js';
import { type Archive, startArchive } from './archive.js';
import { startBoard } from './board.js';
import { type Flight, loadFlights } from './flights.js';
import { startPunctuality } from './punctuality.js';
import type { Reader } from './reader.js';
import { groups, headline, verdict } from './report.js';

export interface DemoOptions {
  /** Decides which calls of the services outside fail. */
  readonly seed: number;
  /** Where the archive writes. Default: a temporary directory, which is removed. */
  readonly archive?: string | undefined;
  /** Only the last lines. */
  readonly quiet?: boolean;
  readonly terminal?: Terminal;
  readonly clock?: Clock;
  readonly open?: (clock: Clock) => Promise<Broker>;
}

const PARTITIONS = 8;
/** Flights that are published together. */
const CHUNK = 100;
/** Between two chunks, ms. */
const PACE = 5;
/** Until there is a new disk, ms. */
const REPAIR = 300;
/** Whoever waits for the groups looks this often, ms. */
const LOOK = 10;
/** And gives up when nothing happened for so long, ms; the check then tells what is missing. */
const PATIENCE = 10_000;

/** Publishes all flights while members come and go, repairs what was broken, and checks everything. Resolves with the exit code. */
export async function demo(options: DemoOptions): Promise<number> {
  const { seed, archive, quiet = false, terminal = standardOutput, clock = systemClock } = options;
  const broker = await (options.open ?? ((given) => Broker.open({ clock: given })))(clock);
  const directory = archive ?? (await mkdtemp(join(tmpdir(), 'sluice-flights-')));
  await mkdir(directory, { recursive: true });
  try {
    return await new Demo(broker, { seed, quiet, terminal, clock }).run(directory);
  } finally {
    await broker.close();
    if (archive === undefined) await rm(directory, { recursive: true });
  }
}

type Setting = Required<Pick<DemoOptions, 'seed' | 'quiet' | 'terminal' | 'clock'>>;

class Demo {
  private readonly setting: Setting;
  private readonly topic: Topic<Flight>;
  private readonly flights = loadFlights();
  private readonly progress: Progress;
  private readonly display: Remote;
  private readonly readers = new Map<string, Reader>();
  private readonly partitions = new Map<string, number>();
  private readonly rebalances = new Map<string, number>();
  private published = 0;
  private readonly began = performance.now();

  constructor(broker: Broker, setting: Setting) {
    this.setting = setting;
    this.progress = new Progress(setting.terminal);
    this.display = this.remote('display', 0.03);
    this.topic = broker.topic<Flight>('flights', { partitions: PARTITIONS });
    broker.on('rebalanced', ({ group }) => void this.rebalances.set(group, (this.rebalances.get(group) ?? 0) + 1));
  }

  private remote(name: string, failing: number): Remote {
    const { seed, clock } = this.setting;
    return new Remote(name, { seed, failing, clock, takes: [0, 2] });
  }

  async run(directory: string): Promise<number> {
    const { terminal } = this.setting;
    const { flights, topic, readers } = this;
    this.say(`\n  ${styled(terminal, 'bold', 'sluice')} · ${flights.length} flights`);
    this.say(` · ${PARTITIONS} partitions · 3 groups · seed ${this.setting.seed}\n\n`);

    const archive = await startArchive(topic, directory, this.remote('disk', 0.02));
    const punctuality = startPunctuality(topic, this.remote('weather service', 0.02));
    readers.set('punctuality', punctuality);
    const board = startBoard(topic, this.display);
    readers.set('board', board);
    readers.set('archive', archive);
    for (const name of ['north', 'east']) punctuality.join(name);
    for (const name of ['gate', 'hall']) board.join(name);
    const [replayed] = await Promise.all([this.breakDisk(archive), this.publish(punctuality.join('south'))]);
    await this.until(() => this.lag() === 0);
    if (!this.setting.quiet) this.progress.end(1, () => this.state());

    const redriven = await this.repairDisplay();
    return this.report(replayed, redriven);
  }

  /** Flights come; members of two groups leave and join. */
  private async publish(south: Consumer): Promise<void> {
    const { flights, topic, readers } = this;
    for (; this.published < flights.length; this.published += CHUNK) {
      const chunk = flights.slice(this.published, this.published + CHUNK);
      const receipts = await topic.publishMany(
        chunk.map((body, n) => ({ body, key: body.origin, id: `flight-${this.published + n + 1}` })),
      );
      receipts.forEach(({ partition }, n) => this.partitions.set(chunk[n]!.origin, partition));
      this.show();
      switch (this.published) {
        case 5000:
          await south.close();
          this.note('punctuality: south leaves; its partitions go to the others');
          break;
        case 8000:
          readers.get('board')!.join('café');
          this.note('board: café joins, and gets partitions of its own');
          break;
        case 13_000:
          readers.get('punctuality')!.join('west');
          this.note('punctuality: west joins');
          break;
      }
      await pause(this.setting.clock, PACE);
    }
  }

  /** The archive is stopped half way, loses files, seeks back and replays. Resolves with how many flights were read again. */
  private async breakDisk(archive: Archive): Promise<number> {
    const writers = ['writer-1', 'writer-2'].map((name) => archive.join(name));
    await this.until(() => archive.group.stats().acked >= this.flights.length / 2);
    await Promise.all(writers.map((writer) => writer.close()));
    await archive.tear();
    this.note('archive: stopped half way; its disk loses the second half of each file');
    await pause(this.setting.clock, REPAIR);
    const replayed = await archive.rewind();
    this.note(`archive: on a new disk, back to the ends of its files; ${replayed} flights are read again`);
    for (const name of ['writer-3', 'writer-4']) archive.join(name);
    return replayed;
  }

  /** Until something is reached, or nothing moves any more. */
  private async until(reached: () => boolean): Promise<void> {
    let [before, still] = ['', 0];
    while (!reached() && still < PATIENCE) {
      const now = this.state();
      still = now === before ? still + LOOK : 0;
      before = now;
      this.show();
      await pause(this.setting.clock, LOOK);
    }
  }

  /** What an operator does: looks why flights are not on the board, repairs it, and sends them back to that group. */
  private async repairDisplay(): Promise<number> {
    const { group } = this.readers.get('board')!;
    const letters = group.deadLetters;
    const [oldest] = (await letters?.peek(1)) ?? [];
    if (letters === undefined || oldest === undefined) return 0;
    const { attempts, error } = oldest.deaths[0]!;
    this.display.repair();
    const redriven = await letters.redrive();
    await group.idle(); // they are below the committed offsets: lag does not count them
    const what = `${letters.name}: ${redriven} given up after ${attempts} attempts, “${error?.message}”. Repaired, and redriven.`;
    this.say(`\n  ${styled(this.setting.terminal, 'yellow', what)}\n`);
    return redriven;
  }

  private async report(replayed: number, redriven: number): Promise<number> {
    const { terminal, quiet } = this.setting;
    const differences: string[] = [];
    for (const [name, reader] of this.readers) {
      const found = await reader.differences(this.flights, (origin) => this.partitions.get(origin)!);
      differences.push(...found.map((line) => `${name}: ${line}`));
    }
    if (!quiet) {
      terminal.write(`\n${groups(terminal, this.topic, this.rebalances)}\n`);
      for (const [name, reader] of this.readers) {
        terminal.write(`  ${styled(terminal, 'cyan', name.padEnd(11))}   ${reader.summary()}\n`);
      }
      terminal.write('\n');
    }
    terminal.write(`  ${styled(terminal, 'bold', headline(this.topic, this.published, { replayed, redriven }))}\n`);
    terminal.write(`${verdict(terminal, differences, (performance.now() - this.began) / 1000)}\n`);
    return differences.length === 0 ? 0 : 1;
  }

  private lag(): number {
    return this.topic.stats().groups.reduce((sum, { lag }) => sum + lag, 0);
  }

  private state(): string {
    const { groups } = this.topic.stats();
    const lags = groups.map(({ name, lag }) => `${name} ${lag}`).join(', ');
    const retried = groups.reduce((sum, group) => sum + group.retried, 0);
    return `${this.published}/${this.flights.length} flights · lag: ${lags} · ${retried} retried`;
  }

  private show(): void {
    if (this.setting.quiet) return;
    const all = this.readers.size * this.flights.length;
    const left = this.readers.size * (this.flights.length - this.published) + this.lag();
    this.progress.show(Math.max(0, 1 - left / all), () => this.state());
  }

  private note(text: string): void {
    if (!this.setting.quiet) this.progress.note(styled(this.setting.terminal, 'dim', text));
  }

  private say(text: string): void {
    if (!this.setting.quiet) this.setting.terminal.write(text);
  }
}
