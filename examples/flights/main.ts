import { parseArgs } from 'node:util';
import { demo, type DemoOptions } from './demo.js';

const USAGE = `npm run flights -- [--seed N] [--archive DIRECTORY] [--quiet]

  --seed N     which calls of the services outside fail (default 1)
  --archive D  the archive writes its files there, over what they hold, and leaves them; else it writes to a temporary directory
  --quiet      only the last lines
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
        archive: { type: 'string' },
        quiet: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return 'help';
    if (!/^\d{1,15}$/.test(values.seed)) return new Error(`--seed takes a whole number; got '${values.seed}'`);
    return { seed: Number(values.seed), archive: values.archive, quiet: values.quiet };
  } catch (error) {
    return error as Error;
  }
}
