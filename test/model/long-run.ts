import { parseArgs } from 'node:util';
import type { Census } from './minutes.js';
import { describeFailure, prove, type Proposition } from './proof.js';

/**
 * Proves it by many commands, and prints how often each command and outcome occurred:
 *
 *     -- [--commands <count>] [--seed <first>] [--least <how often each has to occur in 200,000 commands>]
 */
export async function proveAtLength<C>(proposition: Proposition<C>, least: number): Promise<void> {
  const { values } = parseArgs({
    options: {
      commands: { type: 'string', default: '200000' },
      seed: { type: 'string', default: '1' },
      least: { type: 'string', default: String(least) },
    },
  });
  const commands = Number(values.commands);
  // What never occurs is too rare as well.
  const census: Census = new Map(Object.keys(proposition.deck.kinds).map((kind) => [`command: ${kind}`, 0]));
  const failure = await prove(proposition, commands, Number(values.seed), census);
  for (const [name, count] of [...census].sort(([a], [b]) => a.localeCompare(b)))
    console.log(`${String(count).padStart(8)}  ${name}`);
  const enough = Math.floor((Number(values.least) * commands) / 200_000);
  const rare = [...census].filter(([, count]) => count < enough).map(([name]) => name);
  if (failure !== undefined) console.log(describeFailure(failure));
  else if (rare.length > 0) console.log(`fewer than ${enough}: ${rare.join(', ')}`);
  else console.log(`${commands} commands without divergence, none and no outcome fewer than ${enough} times`);
  if (failure !== undefined || rare.length > 0) process.exitCode = 1;
}
