import { parseArgs } from 'node:util';
import { KINDS } from './commands.js';
import { describeFailure, prove, type Census } from './run.js';

const { values } = parseArgs({
  options: {
    commands: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    /** How often each command and outcome has to occur in 200,000 commands. */
    least: { type: 'string', default: '500' },
  },
});
const commands = Number(values.commands);
// What never occurs is too rare as well.
const census: Census = new Map(Object.keys(KINDS).map((kind) => [`command: ${kind}`, 0]));
const failure = await prove(commands, Number(values.seed), census);
for (const [name, count] of [...census].sort(([a], [b]) => a.localeCompare(b)))
  console.log(`${String(count).padStart(8)}  ${name}`);
const least = Math.floor((Number(values.least) * commands) / 200_000);
const rare = [...census].filter(([, count]) => count < least).map(([name]) => name);
if (failure !== undefined) console.log(describeFailure(failure));
else if (rare.length > 0) console.log(`fewer than ${least}: ${rare.join(', ')}`);
else console.log(`${commands} commands without divergence, none and no outcome fewer than ${least} times`);
if (failure !== undefined || rare.length > 0) process.exitCode = 1;
