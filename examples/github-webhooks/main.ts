import { parseArgs } from 'node:util';
import { demo, type DemoOptions } from './demo.js';

const USAGE = `npm run demo -- [--seed N] [--data DIR] [--quiet] [--results]

  --seed N   which calls of the services outside fail; the same seed gives the same retries (default 1)
  --data DIR messages are kept in this directory meanwhile, and survive the process (default: in memory)
  --quiet    only the last lines
  --results  also everything that the modules made, as JSON
`;

const options = read(process.argv.slice(2));
if (options === 'help') process.stdout.write(USAGE);
else if (options instanceof Error) {
  process.stderr.write(`${options.message}\n\n${USAGE}`);
  process.exitCode = 2;
} else process.exitCode = await demo(options);

function read(args: string[]): DemoOptions | 'help' | Error {
  try {
    const { values } = parseArgs({
      args,
      options: {
        seed: { type: 'string', default: '1' },
        data: { type: 'string' },
        quiet: { type: 'boolean', default: false },
        results: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return 'help';
    if (!/^\d{1,15}$/.test(values.seed)) return new Error(`--seed takes a whole number; got '${values.seed}'`);
    const { data, quiet, results } = values;
    return { seed: Number(values.seed), data, quiet, results };
  } catch (error) {
    return error as Error;
  }
}
