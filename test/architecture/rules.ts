import { posix } from 'node:path';
import ts from 'typescript';

/** Source texts by their path from the root of the repository, for example `src/routing/trie.ts`. */
export type Sources = ReadonlyMap<string, string>;

interface Layer {
  readonly name: string;
  readonly has: RegExp;
  /** Names of the layers it may import, besides itself. */
  readonly imports: readonly string[];
}

/**
 * vocabulary ← routing, storage, delivery ← nouns ← broker ← patterns ← index ← testing
 *
 * The three in the middle know nothing of one another, but for the types of the storage seam. Patterns stand on the
 * public nouns alone, which proves that these compose. The message is vocabulary: every part speaks of it.
 */
const layers: readonly Layer[] = [
  {
    name: 'vocabulary',
    has: /^src\/(arguments|clock|codec|declaration|destination|duration|errors|events|message|standard-schema)\.ts$/,
    imports: [],
  },
  { name: 'routing', has: /^src\/routing\//, imports: ['vocabulary'] },
  { name: 'storage', has: /^src\/storage\//, imports: ['vocabulary'] },
  { name: 'delivery', has: /^src\/delivery\//, imports: ['vocabulary'] },
  {
    name: 'nouns',
    has: /^src\/(host|source|(queue|exchange|topic|consumer-group|consumer|transaction)(-options|-stats)?)\.ts$/,
    imports: ['vocabulary', 'routing', 'storage', 'delivery'],
  },
  {
    name: 'broker',
    has: /^src\/(broker|broker-options|catalog|recovery|registry|reports|ways)\.ts$/,
    imports: ['vocabulary', 'routing', 'storage', 'delivery', 'nouns'],
  },
  { name: 'patterns', has: /^src\/patterns\//, imports: ['vocabulary', 'nouns', 'broker'] },
  {
    name: 'index',
    has: /^src\/index\.ts$/,
    imports: ['vocabulary', 'routing', 'storage', 'delivery', 'nouns', 'broker', 'patterns'],
  },
  { name: 'testing', has: /^src\/testing\//, imports: ['vocabulary', 'index'] },
];

const storageSeam = 'src/storage/storage.ts';

/** Where a package or module may be imported; `'one file'` leaves the choice open. What is not listed may not be imported. */
const owners: readonly { readonly module: RegExp; readonly owner: RegExp | 'one file' | 'anywhere' }[] = [
  { module: /^eventemitter3$/, owner: /^src\/events\.ts$/ },
  { module: /^p-queue$/, owner: /^src\/delivery\/lanes\.ts$/ },
  { module: /^lru-cache$/, owner: 'one file' },
  { module: /^node:fs(\/promises)?$/, owner: /^src\/storage\/file(-storage\.ts$|\/)/ },
  { module: /^node:(timers(\/promises)?|perf_hooks)$/, owner: /^src\/clock\.ts$/ },
  { module: /^node:/, owner: 'anywhere' },
];

/** Sources of time and chance, which belong to src/clock.ts so that a test can replace them. */
const ambientNames = new Set(['setTimeout', 'setInterval', 'setImmediate', 'performance']);
const ambientMembers = new Set(['Date.now', 'Math.random', 'AbortSignal.timeout', 'process.hrtime', 'process.uptime']);
const ambientOwner = 'src/clock.ts';

const longestFile = 300;
const vagueName = /(^|\/)(utils?|helpers?|common|types|managers?|misc)(\/|\.ts$)/;

/** Everything in `sources` that breaks a rule, each as one sentence that says where, what, and what would be right. */
export function violations(sources: Sources): string[] {
  const modules = [...sources].map(([path, text]) => read(path, text));
  return [
    ...modules.flatMap(shape),
    ...modules.flatMap((module) => module.imports.flatMap((found) => layering(module.path, found, sources))),
    ...modules.flatMap((module) => module.imports.flatMap((found) => ownership(module.path, found))),
    ...soleOwners(modules),
    ...modules.flatMap(timeAndChance),
    ...cycles(modules),
  ];
}

interface Import {
  readonly specifier: string;
  /** The path it leads to when it is relative. */
  readonly target: string | undefined;
  readonly typeOnly: boolean;
  readonly line: number;
}

interface Module {
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  readonly ambient: readonly { readonly name: string; readonly line: number }[];
}

function read(path: string, text: string): Module {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const ambient: { name: string; line: number }[] = [];
  const lineOf = (node: ts.Node): number => file.getLineAndCharacterOfPosition(node.getStart()).line + 1;
  const addImport = (specifier: ts.Node | undefined, typeOnly: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    const relative = specifier.text.startsWith('.');
    const target = posix.join(posix.dirname(path), specifier.text).replace(/\.js$/, '.ts');
    imports.push({
      specifier: specifier.text,
      target: relative ? target : undefined,
      typeOnly,
      line: lineOf(specifier),
    });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      addImport(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node)) {
      addImport(node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      addImport(node.argument.literal, true);
    } else if (
      ts.isCallExpression(node) &&
      (node.expression.kind === ts.SyntaxKind.ImportKeyword || node.expression.getText() === 'require')
    ) {
      addImport(node.arguments[0], false);
    }
    const name = ambientUse(node);
    if (name !== undefined) ambient.push({ name, line: lineOf(node) });
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { path, lines: text.replace(/\n$/, '').split('\n').length, imports, ambient };
}

function ambientUse(node: ts.Node): string | undefined {
  if (ts.isIdentifier(node) && ambientNames.has(node.text)) return node.text;
  if (ts.isPropertyAccessExpression(node) && ambientMembers.has(node.getText())) return node.getText();
  if (ts.isCallExpression(node) && node.expression.getText() === 'Date') return 'Date()';
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments?.length ?? 0) === 0) {
    return 'new Date()';
  }
  return undefined;
}

function layerOf(path: string): Layer | undefined {
  return layers.find((layer) => layer.has.test(path));
}

function shape({ path, lines }: Module): string[] {
  const found: string[] = [];
  if (layerOf(path) === undefined) {
    found.push(`${path} belongs to no layer: put it into the folder whose work it does, or name it in layers`);
  }
  if (vagueName.test(path)) found.push(`${path} has a name that says nothing: name it after the one thing it holds`);
  if (lines > longestFile) found.push(`${path} has ${lines} lines: split it by responsibility at ${longestFile}`);
  return found;
}

function layering(from: string, { target, typeOnly, line }: Import, sources: Sources): string[] {
  if (target === undefined) return [];
  if (!sources.has(target)) return [`${from}:${line} imports ${target}, which is no source file`];
  const [importer, imported] = [layerOf(from), layerOf(target)];
  if (importer === undefined || imported === undefined || importer === imported) return [];
  if (importer.imports.includes(imported.name)) return [];
  const seam = target === storageSeam && importer.imports.includes('vocabulary');
  if (seam && typeOnly) return [];
  const allowed = ['itself', ...importer.imports].join(', ') + (seam ? `; of ${storageSeam} types (import type)` : '');
  return [`${from}:${line} imports ${target}: ${importer.name} may import ${allowed}`];
}

function ownership(from: string, { specifier, target, line }: Import): string[] {
  if (target !== undefined) return [];
  const rule = owners.find(({ module }) => module.test(specifier));
  if (rule === undefined) return [`${from}:${line} imports ${specifier}, which is no dependency of the package`];
  if (!(rule.owner instanceof RegExp) || rule.owner.test(from)) return [];
  return [`${from}:${line} imports ${specifier}, which belongs to ${rule.owner.source.replaceAll('\\', '')}`];
}

function soleOwners(modules: readonly Module[]): string[] {
  return owners.flatMap(({ module, owner }) => {
    if (owner !== 'one file') return [];
    const users = modules.filter(({ imports }) => imports.some(({ specifier }) => module.test(specifier)));
    const name = module.source.replace(/[\^$]/g, '');
    return users.length > 1 ? [`${name} has more than one owner: ${users.map(({ path }) => path).join(', ')}`] : [];
  });
}

function timeAndChance({ path, ambient }: Module): string[] {
  if (path === ambientOwner) return [];
  return ambient.map(({ name, line }) => `${path}:${line} uses ${name}: time and chance come from ${ambientOwner}`);
}

/** Each cycle once, type-only imports included: they tie two files together just the same. */
function cycles(modules: readonly Module[]): string[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push(`imports in a cycle: ${[...trail.slice(start), path].join(' → ')}`);
    if (start >= 0 || done.has(path)) return;
    for (const { target } of byPath.get(path)?.imports ?? []) {
      if (target !== undefined) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const { path } of modules) visit(path, []);
  return found;
}
