import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A program in the documentation. */
export interface Example {
  /** Where it is written, for people. */
  readonly where: string;
  readonly text: string;
}

/** What the examples take as given, so that each can be short. A name that an example declares itself hides the one here. */
const GIVEN = `
import type { Broker, Queue, Topic } from 'sluice';
declare global {
  interface Order { id: number; email: string; total: number }
  const broker: Broker;
  const orders: Queue<Order>;
  const order: Order;
  const placed: Topic<Order>;
  function charge(order: Order, options?: { signal: AbortSignal }): Promise<void>;
  function save(orders: readonly Order[]): Promise<void>;
}
`;

/** An error that an example shows: the line behind the comment does not compile, and the message says this. */
const EXPECTED = /^\s*\/\/ error: (.*)$/;

/**
 * What is wrong with the examples, by the compiler that users have. Each is a module of its own, on the sources of this package. Under a
 * comment `// error: …` the compiler has to complain, in these words.
 */
export function complaints(examples: readonly Example[]): string[] {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const given = `${root}test/docs/given.ts`;
  const files = new Map([[given, GIVEN]]);
  examples.forEach(({ text }, n) => files.set(`${root}test/docs/example-${n}.ts`, `${text}\nexport {};\n`));

  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (path) => files.has(path) || disk.fileExists(path),
    readFile: (path) => files.get(path) ?? disk.readFile(path),
    getSourceFile: (path, version, onError) => {
      const text = files.get(path);
      return text === undefined ? disk.getSourceFile(path, version, onError) : ts.createSourceFile(path, text, version);
    },
  };
  const program = ts.createProgram([...files.keys()], { ...options, noUnusedLocals: false }, host);
  return examples.flatMap((example, n) => complaintsOf(program, `${root}test/docs/example-${n}.ts`, example));
}

function complaintsOf(program: ts.Program, path: string, { where, text }: Example): string[] {
  const file = program.getSourceFile(path)!;
  const expected = new Map<number, string>();
  text.split('\n').forEach((line, n) => {
    const message = EXPECTED.exec(line)?.[1];
    if (message !== undefined) expected.set(n + 1, message);
  });
  const found: string[] = [];
  for (const diagnostic of [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]) {
    const { line } = file.getLineAndCharacterOfPosition(diagnostic.start ?? 0);
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n');
    const words = expected.get(line);
    expected.delete(line);
    if (words === undefined || !message.includes(words)) found.push(`${where}, line ${line + 1}: ${message}`);
  }
  for (const words of expected.values()) found.push(`${where}: compiles, and should not: ${words}`);
  return found;
}
