import { EFFECT } from './effects.js';
import type { Group } from './group.js';
import type { Log, LogTable } from './log-table.js';
import type { Segments } from './segment.js';

/** Makes visible what a group did, once it is written: `base` is where its buffer stands in the active segment. */
export function publish(group: Group, base: number, segments: Segments, table: LogTable): void {
  const { active } = segments;
  const open = active.open!;
  for (const frame of group.frames) open.frame(base + frame);
  const { count, kinds, logs, offsets, places } = group.effects;
  for (let i = 0; i < count; i++) {
    const log = logs[i]!;
    const offset = offsets[i]!;
    switch (kinds[i]!) {
      case EFFECT.append:
        open.add(log.id, offset, base + places[i]!, false);
        log.next = offset + 1;
        active.live++;
        break;
      case EFFECT.copy:
        move(log, offset, base + places[i]!, segments, table);
        break;
      case EFFECT.declare:
        table.declare(log);
        break;
      case EFFECT.drop:
        log.drop(offset, places[i]!, (from, to) => segments.drop(log, from, to));
        break;
      case EFFECT.remove:
        log.drop(0, log.next, (from, to) => segments.drop(log, from, to));
        table.remove(log);
        break;
    }
  }
}

/** A copy is written: the entry's home is here from now on, if it still exists. */
function move(log: Log, offset: number, position: number, segments: Segments, table: LogTable): void {
  const { active, sealed } = segments;
  if (table.byId.get(log.id) !== log || !log.isLive(offset)) return;
  // Salvaged ones come from another directory.
  sealed.findLast((segment) => segment.has(log.id, offset))?.moveAway(log.id, offset);
  active.open!.add(log.id, offset, position, true);
  active.live++;
}
