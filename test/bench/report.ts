import type { Profile, Spot } from './profile.js';
import type { Check, Contest, Results, Row } from './row.js';

export type Verdict = 'PASS' | 'FLOOR' | 'BELOW';

/** PASS: the target or better. FLOOR: between floor and target. BELOW: under the floor, or under a target without floor. */
export function verdict({ value, better, target, floor }: Check): Verdict {
  const reaches = (limit: number): boolean => (better === 'higher' ? value >= limit : value <= limit);
  if (reaches(target)) return 'PASS';
  return floor !== undefined && reaches(floor) ? 'FLOOR' : 'BELOW';
}

export function text(row: Row, results: Results, checks: readonly Check[]): string {
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

/** Where the time and the allocations of one contender go, in per cent. */
export function spots(row: Row, contest: Contest, { time, allocations, bytes }: Profile, most = 25): string {
  const list = (all: readonly Spot[]): string[] =>
    all.slice(0, most).map(({ name, share }) => `     ${(share * 100).toFixed(1).padStart(5)} %  ${name}`);
  return [
    `\n${row.number}  ${contest.name}: time`,
    ...list(time),
    `   allocations: ${shown(bytes)} B/message`,
    ...list(allocations),
  ].join('\n');
}

export function measured({ value, unit }: Check): string {
  return unit === '×' ? shown(value) : `${shown(value)} ${unit}`;
}

export function limits({ better, target, floor, unit }: Check): string {
  const sign = better === 'higher' ? '≥' : '≤';
  const suffix = unit === '×' ? '' : ` ${unit}`;
  return `${sign} ${target}${suffix}${floor === undefined ? '' : ` (${floor})`}`;
}

/** Three digits that say something. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ',');
}
