import { describe } from './arguments.js';
import { SluiceError } from './errors.js';

/** Any synchronous Standard Schema (zod, valibot, arktype, …): https://standardschema.dev */
export interface StandardSchema<I = any, O = any> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly types?: { readonly input: I; readonly output: O } | undefined;
    readonly validate: (value: unknown) => unknown;
  };
}

export function checkSchema(schema: unknown, what: string): asserts schema is StandardSchema {
  const standard = isObject(schema) ? (schema as Partial<StandardSchema>)['~standard'] : undefined;
  if (!isObject(standard) || typeof standard.validate !== 'function') {
    throw new TypeError(
      `${what} must be a Standard Schema (an object with '~standard'.validate); got ${describe(schema)}`,
    );
  }
}

/**
 * What the schema makes of a body.
 * @throws SluiceError ERR_VALIDATION with the issues' messages and paths; TypeError for an asynchronous schema
 */
export function parse(schema: StandardSchema, body: unknown, where: string): unknown {
  const result = schema['~standard'].validate(body) as { value?: unknown; issues?: readonly Issue[] | undefined };
  if (!isObject(result)) {
    throw new TypeError(`the schema of ${where} must return { value } or { issues }; got ${describe(result)}`);
  }
  if (typeof (result as { then?: unknown }).then === 'function') {
    (result as unknown as Promise<unknown>).then(undefined, () => undefined);
    throw new TypeError(`the schema of ${where} validates asynchronously; sluice takes synchronous schemas only`);
  }
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(({ message, path }) => ({ message, path: pathOf(path) }));
  const first = issues[0];
  const problem =
    first === undefined ? 'it is not valid' : `${first.path === '' ? '' : `${first.path}: `}${first.message}`;
  throw new SluiceError('ERR_VALIDATION', `${where} does not take this body: ${problem}`, { details: { issues } });
}

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

function pathOf(path: Issue['path']): string {
  return (path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
