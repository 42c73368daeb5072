import { types } from 'node:util';
import { checkFunction, checkInteger, checkOneOf, describe } from '../arguments.js';
import { SluiceError } from '../errors.js';
import type {
  Awaitable,
  Durability,
  LogRange,
  ReadLimit,
  Storage,
  StorageOp,
  StorageReporter,
  StoredEntry,
} from '../storage/storage.js';

export type FaultyMethod = 'open' | 'write' | 'read';

/** Whether a call with these arguments shall fail. */
export type FaultRule<M extends FaultyMethod> = (...call: Parameters<Storage[M]>) => boolean;

const METHODS: readonly FaultyMethod[] = ['open', 'write', 'read'];

/**
 * Fails on purpose: the next call of a method, every nth, or by a rule of yours; everything else it passes on. A call
 * that fails never reaches the storage inside: nothing of it is stored, and it takes no offsets.
 *
 * It fails the way the storage inside would: what answers at once throws at once, what answers with a promise rejects.
 * (Where a method was not called yet, durability 'memory' is taken for the former.) Faults are independent of each other:
 * a disk that is gone for good is `failWhen('write', () => true)`, not `failNext('write')`.
 *
 * `error` is by default a new SluiceError ERR_STORAGE_FAILED.
 */
export class FaultyStorage implements Storage {
  private readonly inner: Storage;
  private readonly faults: { readonly [M in FaultyMethod]: Faults };

  /** @throws TypeError when `inner` is no Storage */
  constructor(inner: Storage) {
    checkStorage(inner);
    this.inner = inner;
    this.faults = { open: faults(inner), write: faults(inner), read: faults(inner) };
  }

  get durability(): Durability {
    return this.inner.durability;
  }

  /** The next call fails. Called n times, the next n calls fail. */
  failNext(method: FaultyMethod, error?: Error): void {
    checkFault(method, error);
    this.faults[method].next.push(error);
  }

  /** Every nth call from now on fails, counting those that fail for another reason. */
  failEvery(method: FaultyMethod, n: number, error?: Error): void {
    checkFault(method, error);
    checkInteger(n, 'n', 1);
    let calls = 0;
    this.faults[method].rules.push({ strikes: () => ++calls % n === 0, error });
  }

  /**
   * Every call fails for which `rule` is true: `failWhen('write', (batch) => batch.some((op) => op.type === 'drop'))`.
   * Of several faults that strike at once failNext() decides the error, then the rule that was set first.
   */
  failWhen<M extends FaultyMethod>(method: M, rule: FaultRule<M>, error?: Error): void {
    checkFault(method, error);
    checkFunction(rule, 'rule');
    this.faults[method].rules.push({ strikes: rule as Strikes, error });
  }

  /** Forgets every fault, those that have not struck included. */
  heal(): void {
    for (const method of METHODS) {
      this.faults[method].next.length = 0;
      this.faults[method].rules.length = 0;
    }
  }

  open(report?: StorageReporter): Awaitable<ReadonlyMap<string, LogRange>> {
    return this.pass('open', [report], () => this.inner.open(report));
  }

  write(batch: readonly StorageOp[], reach?: Durability): Awaitable<void> {
    return this.pass('write', [batch, reach], () => this.inner.write(batch, reach));
  }

  read(log: string, from: number, limit: ReadLimit): Awaitable<readonly StoredEntry[]> {
    return this.pass('read', [log, from, limit], () => this.inner.read(log, from, limit));
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  stats(): Readonly<Record<string, number | string>> {
    return this.inner.stats?.() ?? {};
  }

  private pass<T>(method: FaultyMethod, call: readonly unknown[], on: () => Awaitable<T>): Awaitable<T> {
    const faults = this.faults[method];
    const error = strike(method, faults, call);
    if (error === undefined) {
      const answer = on();
      faults.promises = isPromise(answer);
      return answer;
    }
    if (faults.promises) return Promise.reject(error);
    throw error;
  }
}

type Strikes = (...call: readonly unknown[]) => boolean;

interface Faults {
  /** Errors of the next calls; undefined is the default one. */
  readonly next: (Error | undefined)[];
  readonly rules: { readonly strikes: Strikes; readonly error: Error | undefined }[];
  /** Whether the storage inside answers this method with promises. */
  promises: boolean;
}

function faults(inner: Storage): Faults {
  return { next: [], rules: [], promises: inner.durability !== 'memory' };
}

/** The error with which this call fails. Every rule sees every call, so that it can count. */
function strike(method: FaultyMethod, { next, rules }: Faults, call: readonly unknown[]): Error | undefined {
  const striking = rules.filter(({ strikes }) => strikes(...call));
  if (next.length === 0 && striking.length === 0) return undefined;
  const error = next.length > 0 ? next.shift() : striking[0]?.error;
  return error ?? new SluiceError('ERR_STORAGE_FAILED', `${method}() failed on purpose`, { details: { method } });
}

function isPromise(answer: unknown): boolean {
  return typeof (answer as { then?: unknown } | undefined)?.then === 'function';
}

function checkStorage(inner: unknown): void {
  const storage = inner as Partial<Storage> | null | undefined;
  if (typeof storage?.write === 'function' && typeof storage.read === 'function') return;
  throw new TypeError(`inner must be a Storage; got ${describe(inner)}`);
}

function checkFault(method: unknown, error: unknown): void {
  checkOneOf(method, 'method', METHODS);
  if (error !== undefined && !types.isNativeError(error) && !(error instanceof Error)) {
    throw new TypeError(`error must be an Error; got ${describe(error)}`);
  }
}
