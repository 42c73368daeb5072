import ts from 'typescript';

/** Functions that name suites and tests. */
const NAMING = new Set(['describe', 'it', 'test', 'onEachStorage']);

/** The titles of all suites and tests in a test file, each behind those of the suites it is in: `suite › test`. */
export function titlesOf(source: string): Set<string> {
  const titles = new Set<string>();
  const visit = (node: ts.Node, path: readonly string[]): void => {
    const title = titleOf(node);
    if (title === undefined) return ts.forEachChild(node, (child) => visit(child, path));
    const inner = [...path, title];
    titles.add(inner.join(' › '));
    ts.forEachChild(node, (child) => visit(child, inner));
  };
  visit(ts.createSourceFile('test.ts', source, ts.ScriptTarget.Latest, true), []);
  return titles;
}

/** Of describe('title', …), it.each(cases)('title', …) and the like, as it is written: what a table fills in stays `%s`. */
function titleOf(node: ts.Node): string | undefined {
  if (!ts.isCallExpression(node)) return undefined;
  const [first] = node.arguments;
  if (first === undefined || !(ts.isStringLiteralLike(first) || ts.isTemplateExpression(first))) return undefined;
  let callee: ts.Expression = node.expression;
  while (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) callee = callee.expression;
  if (!ts.isIdentifier(callee) || !NAMING.has(callee.text)) return undefined;
  return ts.isTemplateExpression(first) ? first.getText().slice(1, -1) : first.text;
}
