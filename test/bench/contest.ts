import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Builds } from './build.js';
import type { Answer, Part, Request } from './contestant.js';
import { environment } from './disk.js';
import type { Profile } from './profile.js';
import { Results, type Contest, type Figures, type Row, type Scale } from './row.js';

const WARM_UPS = 5;

/**
 * Runs the contests of one row.
 *
 * Every contender lives in a process of its own, so that none runs on code the compiler shaped for another, or pays for
 * another's garbage. They run in turns, one at a time, and each round begins with another one, so that whatever else the machine
 * does falls on all alike. After some rounds all are replaced by fresh processes: what a compiler decided early stays
 * decided, and one life would measure its luck.
 */
export async function play(row: Row, builds: Builds, scale: Scale, tell: (progress: string) => void): Promise<Results> {
  const results = new Results();
  for (const contest of row.contests) {
    const { lives = 3, rounds = 3 } = contest;
    for (let life = 0; life < (scale.quick ? 1 : lives); life++) {
      tell(`row ${row.number}, ${contest.name}: life ${life + 1}`);
      await live(row, contest, builds, scale, scale.quick ? Math.min(rounds, 3) : rounds, results);
    }
  }
  return results;
}

/** Where the time and the allocations of one contender go. */
export async function look(
  row: Row,
  contest: Contest,
  contender: string,
  builds: Builds,
  scale: Scale,
): Promise<Profile> {
  const { variant = 'stock' } = contest.contenders[contender]!;
  const part = { row: row.number, contest: contest.name, contender, scale };
  const contestant = await Contestant.start(builds[variant], part, environment(contest.disk ?? 'real'));
  try {
    for (let run = 0; run < (contest.warmUps ?? WARM_UPS); run++) await contestant.run();
    return await contestant.profile();
  } finally {
    contestant.end();
  }
}

async function live(
  row: Row,
  contest: Contest,
  builds: Builds,
  scale: Scale,
  rounds: number,
  results: Results,
): Promise<void> {
  const contestants: Contestant[] = [];
  try {
    for (const [contender, { variant = 'stock' }] of Object.entries(contest.contenders)) {
      const part = { row: row.number, contest: contest.name, contender, scale };
      const contestant = await Contestant.start(builds[variant], part, environment(contest.disk ?? 'real'));
      contestants.push(contestant);
      for (let run = 0; run < (contest.warmUps ?? WARM_UPS); run++) await contestant.run();
    }
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < contestants.length; turn++) {
        const contestant = contestants[(turn + round) % contestants.length]!;
        results.add(contest.name, contestant.name, await contestant.run());
      }
    }
  } finally {
    for (const contestant of contestants) contestant.end();
  }
}

class Contestant {
  readonly name: string;
  private readonly child: ChildProcess;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.child = child;
  }

  static async start(build: string, part: Part, env: NodeJS.ProcessEnv): Promise<Contestant> {
    const child = fork(build, [JSON.stringify(part)], {
      env,
      execArgv: ['--expose-gc', '--enable-source-maps', '--max-old-space-size=4096'],
    });
    const contestant = new Contestant(part.contender, child);
    await contestant.answer();
    return contestant;
  }

  async run(): Promise<Figures> {
    return (await this.ask('run')).figures!;
  }

  async profile(): Promise<Profile> {
    return (await this.ask('profile')).profile!;
  }

  end(): void {
    if (this.child.connected) this.child.disconnect();
  }

  private ask(request: Request): Promise<Answer> {
    const answered = this.answer();
    this.child.send(request);
    return answered;
  }

  private async answer(): Promise<Answer> {
    const end = new AbortController();
    const { signal } = end;
    try {
      const died = once(this.child, 'exit', { signal }).then(([code]) => {
        throw new Error(`${this.name} ended with code ${code} before it answered`);
      });
      const [answer] = await Promise.race([once(this.child, 'message', { signal }), died]);
      return answer as Answer;
    } finally {
      end.abort();
    }
  }
}
