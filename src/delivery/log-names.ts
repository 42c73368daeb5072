/**
 * Names of logs. Whatever the name of the queue is: the kind comes first, and the level has no colon in it, so that
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

export function partitionLogOf(topic: string, partition: number): string {
  return `topic:${partition}:${topic}`;
}

/** The log of what a topic has in all. */
export function sumsLogOf(topic: string): string {
  return `sums:${topic}`;
}

/** The log of a group's cursors. The length says where the topic's name ends. */
export function groupLogOf(topic: string, group: string): string {
  return `group:${topic.length}:${topic}:${group}`;
}

/** The partition and name of a topic's log; undefined for any other log. */
export function topicOfLog(log: string): { readonly topic: string; readonly partition: number } | undefined {
  const parts = /^topic:(\d+):([^]*)$/.exec(log);
  return parts === null ? undefined : { partition: Number(parts[1]), topic: parts[2]! };
}

/** The log that tells what is declared. */
export const CATALOG = 'catalog';
