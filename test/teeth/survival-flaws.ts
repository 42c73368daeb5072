import type { Flaw } from './flaws.js';

const POISON = 'broker/poison.test.ts';
const RECOVERY = 'broker/recovery.test.ts';

/** What is known after a process has ended, and who is blamed. */
export const survivalFlaws: readonly Flaw[] = [
  {
    name: 'survival: no handler waits for the mark of its delivery',
    file: 'delivery/crash/begun.ts',
    find: "await this.journal.tidy('os');",
    replace: 'void this.journal.tidy();',
    tests: [POISON],
  },
  {
    name: "survival: a mark stays behind when another queue's write took the one before it along",
    file: 'delivery/crash/begun.ts',
    find: '    this.marks.add(cursor, offset, deliveries);\n    this.touch();',
    replace: '    this.marks.add(cursor, offset, deliveries);\n    if (round === undefined) this.touch();',
    tests: [POISON],
  },
  {
    name: 'survival: a handler begins before that of a message which waits for its mark',
    file: 'delivery/crash/begun.ts',
    find: 'return noted === undefined && this.waiting === 0 ? undefined : this.inLine(noted);',
    replace: 'return noted;',
    tests: ['delivery/crash/begun.test.ts'],
  },
  {
    name: 'survival: what was given back is taken for unfinished',
    file: 'delivery/crash/trail.ts',
    find: '|| delivery <= before',
    replace: '|| delivery < before',
    tests: [POISON],
  },
  {
    name: 'survival: who was beside another dies of it',
    file: 'delivery/crash/trial.ts',
    find: "lone || alone ? 'crash' : 'beside'",
    replace: "'crash'",
    tests: [POISON],
  },
  {
    name: 'survival: nobody is ever sure enough of a message that ends processes',
    file: 'delivery/crash/trial.ts',
    find: "lone || alone ? 'crash' : 'beside'",
    replace: "'beside'",
    tests: [POISON],
  },
  {
    name: 'survival: a suspicion is forgotten with the next restart',
    file: 'delivery/cursor/cursor-log.ts',
    find: 'const suspicion = this.suspects.any ? this.suspects.of(cursor, offset) : 0;',
    replace: 'const suspicion = 0 as Suspicion;',
    tests: [POISON],
  },
  {
    name: 'survival: a suspect is not alone',
    file: 'delivery/crash/solitude.ts',
    find: 'return this.alone !== undefined;',
    replace: 'return false;',
    tests: [POISON],
  },
  {
    name: 'survival: suspects of several queues are tried at once',
    file: 'delivery/crash/trial.ts',
    find: 'return this.suspect === undefined || !this.suspect.inHand || now >= this.until;',
    replace: 'return true;',
    tests: [POISON],
  },
  {
    name: 'survival: a suspect is alone for ever',
    file: 'delivery/crash/solitude.ts',
    find: 'this.alarm.set(now + LONGEST_TRIAL);',
    replace: 'this.alarm.set(now + LONGEST_TRIAL * 100);',
    tests: [POISON],
  },
  {
    name: 'survival: what is acknowledged beforehand is not stored before its handler runs',
    file: 'delivery/crash/begun.ts',
    find: 'if (!inHand) return this.gather();',
    replace: 'if (!inHand) return undefined;',
    tests: [POISON],
  },
  {
    name: 'survival: a snapshot forgets what is in hand',
    file: 'delivery/cursor/cursor-log.ts',
    find: 'if (taken instanceof Held) m.push(',
    replace: 'if (taken instanceof Held && deliveries < 0) m.push(',
    tests: [RECOVERY, POISON],
  },
  {
    name: 'survival: flush() takes what only reached the operating system for done',
    file: 'delivery/journal.ts',
    find: 'const isOwed = reach === undefined && this.owing;',
    replace: 'const isOwed = false as boolean;',
    tests: [POISON],
  },
  {
    name: 'survival: what waits for its trial loses the turn of its key when the process ends',
    file: 'delivery/cursor/cursor-recovery.ts',
    find: 'deliveries > 0 || putOff',
    replace: 'deliveries > 0',
    tests: [POISON],
  },
];
