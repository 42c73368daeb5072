/**
 * Names of the logs of a queue. Whatever the queue's name is: the kind comes first, and the level has no colon in it, so that
 * no two queues share a log.
 */
export function queueLogOf(queue: string, level: number): string {
  return `queue:${level}:${queue}`;
}

export function cursorLogOf(queue: string): string {
  return `cursor:${queue}`;
}

/** The level and name of a queue's log; undefined for any other log. */
export function queueOfLog(log: string): { readonly queue: string; readonly level: number } | undefined {
  const parts = /^queue:(\d+):([^]*)$/.exec(log);
  return parts === null ? undefined : { level: Number(parts[1]), queue: parts[2]! };
}

/** The log that tells what is declared. */
export const CATALOG = 'catalog';
