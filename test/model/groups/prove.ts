import { parseArgs } from 'node:util';
import { describeFailure, prove, type Census } from './run.js';

/*
 * Topics and groups against a model, by random commands:
 *
 *     npm run prove:groups -- [--commands <count>] [--seed <first>]
 */

const { values } = parseArgs({
  options: { commands: { type: 'string', default: '200000' }, seed: { type: 'string', default: '1' } },
});
const census: Census = new Map();
const failure = await prove(Number(values.commands), Number(values.seed), census);
for (const [name, count] of [...census].sort(([a], [b]) => a.localeCompare(b)))
  console.log(`${String(count).padStart(8)}  ${name}`);
if (failure !== undefined) {
  console.log(describeFailure(failure));
  process.exitCode = 1;
}
