import type { GroupStats, Topic } from 'sluice';
import { styled, table, type Terminal } from '../stage/terminal.js';

/** What went through each group, and who shares it. */
export function groups(terminal: Terminal, topic: Topic, rebalances: ReadonlyMap<string, number>): string {
  const rows = topic
    .stats()
    .groups.map((group) => [
      group.name,
      String(group.members),
      shares(topic, group.name),
      ...[group.delivered, group.acked, group.retried, group.deadLettered, group.lag].map(String),
      String(rebalances.get(group.name) ?? 0),
    ]);
  const head = ['group', 'members', 'partitions', 'delivered', 'acked', 'retried', 'dead', 'lag', 'rebalances'];
  return table(terminal, head, rows);
}

/** How many partitions each member of a group has: `3 + 3 + 2`. */
function shares(topic: Topic, group: string): string {
  const sizes = new Map<string, number>();
  for (const { member } of topic.group(group).offsets()) {
    if (member !== undefined) sizes.set(member, (sizes.get(member) ?? 0) + 1);
  }
  return [...sizes.values()].toSorted((a, b) => b - a).join(' + ');
}

export function headline(
  topic: Topic,
  published: number,
  { replayed, redriven }: { readonly replayed: number; readonly redriven: number },
): string {
  const stats = topic.stats().groups;
  const sum = (of: (group: GroupStats) => number): number => stats.reduce((total, group) => total + of(group), 0);
  return (
    `${published} flights → ${topic.partitions} partitions → ${stats.length} groups → ` +
    `${sum((group) => group.delivered)} deliveries, ${sum((group) => group.retried)} retries, ` +
    `${replayed} replayed, ${redriven} redriven`
  );
}

const MOST_DIFFERENCES = 20;

export function verdict(terminal: Terminal, differences: readonly string[], seconds: number): string {
  if (differences.length === 0) {
    return `  ${styled(terminal, 'green', '✓ each group has what a plain loop over the file has')}, in ${seconds.toFixed(1)} s\n`;
  }
  const shown = differences.slice(0, MOST_DIFFERENCES).map((line) => `    ${line}\n`);
  const more = differences.length > shown.length ? `    … and ${differences.length - shown.length} more\n` : '';
  return `  ${styled(terminal, 'red', `✗ differences from a plain loop: ${differences.length}`)}\n${shown.join('')}${more}`;
}
