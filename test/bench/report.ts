import type { Profile, Spot } from './profile.js';
import type { Check, Contest, Results, Row } from './row.js';

/** A row, and what came of it. */
export interface Played {
  readonly row: Row;
  readonly results: Results;
  readonly checks: readonly Check[];
}

/** A contest of sluice alone, profiled. */
export interface Looked {
  readonly row: Row;
  readonly contest: Contest;
  readonly profile: Profile;
}

export type Verdict = 'PASS' | 'FLOOR' | 'BELOW';

/** PASS: the target or better. FLOOR: between floor and target. BELOW: under the floor, or under a target without floor. */
export function verdict({ value, better, target, floor }: Check): Verdict {
  const reaches = (limit: number): boolean => (better === 'higher' ? value >= limit : value <= limit);
  if (reaches(target)) return 'PASS';
  return floor !== undefined && reaches(floor) ? 'FLOOR' : 'BELOW';
}

export function text({ row, results, checks }: Played): string {
  const lines = [`\n${row.number}  ${row.title}`, `   bare: ${row.bare}`];
  for (const { name, figure, unit } of row.contests) {
    lines.push(`   ${name}, ${unit}`);
    const ours = results.median(name, 'sluice', figure);
    for (const contender of results.contenders(name)) {
      const value = results.median(name, contender, figure);
      const spread = results.all(name, contender, figure);
      const range = `${shown(Math.min(...spread))} … ${shown(Math.max(...spread))}`;
      lines.push(
        `     ${contender.padEnd(18)}${shown(value).padStart(9)}  ${`${shown(value / ours)}×`.padStart(9)}   ${range}`,
      );
    }
  }
  for (const check of checks) {
    lines.push(
      `   ${verdict(check).padEnd(5)}  ${check.what.padEnd(44)} ${measured(check).padStart(10)}   ${limits(check)}${check.note === undefined ? '' : `   (${check.note})`}`,
    );
  }
  return lines.join('\n');
}

/** Where the time and the allocations of one contest go, in per cent. */
export function spots({ row, contest, profile }: Looked, most = 25): string {
  const list = (all: readonly Spot[]): string[] =>
    all.slice(0, most).map(({ name, share }) => `     ${percent(share).padStart(5)} %  ${name}`);
  return [
    `\n${row.number}  ${contest.name}: self time`,
    ...list(profile.time),
    `   allocations: ${shown(profile.bytes)} B/message`,
    ...list(profile.allocations),
  ].join('\n');
}

export function spotsMarkdown(looked: readonly Looked[], most = 12): string {
  const blocks = looked.map(({ row, contest, profile: { time, allocations, bytes } }) => {
    const lines = [
      `Row ${row.number}, ${contest.name}; ${shown(bytes)} B allocated per message:`,
      '',
      '| self time | % | allocated by | % |',
      '|---|--:|---|--:|',
    ];
    for (let n = 0; n < most; n++) {
      const cells = [time[n], allocations[n]].flatMap((spot) =>
        spot === undefined ? ['', ''] : [spot.name, percent(spot.share)],
      );
      lines.push(`| ${cells.join(' | ')} |`);
    }
    return lines.join('\n');
  });
  return blocks.join('\n\n');
}

const percent = (share: number): string => (share * 100).toFixed(1);

/** All checks, the ratios first; then what was measured. */
export function markdown(played: readonly Played[]): string {
  const lines = ['| # | what | measured | target (floor) | |', '|--:|---|--:|---|---|'];
  for (const { row, checks } of played) {
    for (const check of checks) {
      const note = check.note === undefined ? '' : `; ${check.note}`;
      lines.push(
        `| ${row.number} | ${check.what}${note} | **${measured(check)}** | ${limits(check)} | ${verdict(check)} |`,
      );
    }
  }
  lines.push('', '| # | | sluice | bare | others |', '|--:|---|--:|--:|---|');
  for (const { row, results } of played) {
    for (const { name, figure, unit } of row.contests) {
      const of = (contender: string): string => shown(results.median(name, contender, figure));
      const all = results.contenders(name);
      const others = all.filter((contender) => contender !== 'sluice' && contender !== 'bare');
      const bare = all.includes('bare') ? of('bare') : '';
      const rest = others.map((contender) => `${contender} ${of(contender)}`).join(' · ');
      lines.push(`| ${row.number} | ${name}, ${unit} | ${of('sluice')} | ${bare} | ${rest} |`);
    }
  }
  return lines.join('\n');
}

/** `text` with what is between the comments of this name replaced. */
export function inserted(text: string, name: string, block: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`there is no place for it: ${begin} … ${end}`);
  return `${text.slice(0, from)}${begin}\n\n${block}\n\n${text.slice(to)}`;
}

function measured({ value, unit }: Check): string {
  return `${shown(value)}${suffix(unit)}`;
}

function limits({ better, target, floor, unit }: Check): string {
  const sign = better === 'higher' ? '≥' : '≤';
  return `${sign} ${target}${suffix(unit)}${floor === undefined ? '' : ` (${floor})`}`;
}

/** Ratios and counts have none. */
function suffix(unit: string): string {
  return unit === '×' || unit === '' ? '' : ` ${unit}`;
}

/** Three digits that say something. */
function shown(value: number): string {
  if (!Number.isFinite(value) || value === 0) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ',');
}
