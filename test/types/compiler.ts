import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** What programs import. */
export const source = fileURLToPath(new URL('../../src/index.js', import.meta.url));
const config = fileURLToPath(new URL('../../tsconfig.json', import.meta.url));

export interface Checked {
  readonly errors: readonly string[];
  readonly instantiations: number;
}

const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(config, (path) => ts.sys.readFile(path)).config,
  ts.sys,
  fileURLToPath(new URL('../../', import.meta.url)),
);

/** The sources and libraries, parsed once. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** What the compiler says of a file with this text beside this one, and how many types it had to make for it. */
export function check(text: string): Checked {
  const file = fileURLToPath(new URL('generated.ts', import.meta.url));
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    getSourceFile: (name, ...rest) => {
      if (name === file) return ts.createSourceFile(name, text, ts.ScriptTarget.ES2022);
      if (!parsed.has(name)) parsed.set(name, disk.getSourceFile(name, ...rest));
      return parsed.get(name);
    },
    fileExists: (name) => name === file || disk.fileExists(name),
    readFile: (name) => (name === file ? text : disk.readFile(name)),
  };
  // Without the types of Node: the sources would need them, but nobody looks at those here.
  const checked = ts.createProgram([file], { ...options, types: [] }, host);
  const errors = checked
    .getSemanticDiagnostics(checked.getSourceFile(file))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  return { errors, instantiations: checked.getInstantiationCount() };
}
