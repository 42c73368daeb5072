/**
 * Balanced within one, and of all such assignments one that moves the fewest partitions away from a member that is still there.
 * `members` are sorted and at least one.
 *
 * With P partitions and n members everybody has q = ⌊P / n⌋ in the end, and r = P mod n of them have one more. So a member keeps
 * what it has up to q, and of those that had more, as many as r may keep one more. Nobody can keep more than that and be balanced: what is
 * over must move. It goes, with what nobody has, to those who have least.
 *
 * Kafka's sticky assignors promise the same where all members subscribe to the same (`AbstractStickyAssignor`). Of several answers
 * that are equally good theirs may be another one.
 */
export function sticky(
  members: readonly string[],
  partitions: number,
  previous: readonly (string | undefined)[],
): string[] {
  const share = Math.floor(partitions / members.length);
  let larger = partitions % members.length;
  const loads = new Map(members.map((member) => [member, 0]));
  const owners = new Array<string>(partitions);
  const homeless: number[] = [];

  for (let partition = 0; partition < partitions; partition++) {
    const owner = previous[partition];
    const load = owner === undefined ? undefined : loads.get(owner);
    if (owner === undefined || load === undefined || load > share || (load === share && larger === 0)) {
      homeless.push(partition);
      continue;
    }
    if (load === share) larger--;
    loads.set(owner, load + 1);
    owners[partition] = owner;
  }

  // Least first, then by name: level by level, each member that stands on it takes one.
  for (let level = 0, next = 0; next < homeless.length; level++) {
    for (const member of members) {
      if (loads.get(member) !== level || next === homeless.length) continue;
      owners[homeless[next++]!] = member;
      loads.set(member, level + 1);
    }
  }
  return owners;
}
