/** Stable codes of `SluiceError`. Messages are for people; codes are for programs. */
export type ErrorCode =
  | 'ERR_CLOSED'
  | 'ERR_DECLARATION_MISMATCH'
  | 'ERR_UNKNOWN_DESTINATION'
  | 'ERR_UNROUTABLE'
  | 'ERR_INTERNAL_EXCHANGE'
  | 'ERR_BINDING_CYCLE'
  | 'ERR_QUEUE_FULL'
  | 'ERR_MESSAGE_TOO_LARGE'
  | 'ERR_NOT_SERIALIZABLE'
  | 'ERR_VALIDATION'
  | 'ERR_TIMEOUT'
  | 'ERR_ABORTED'
  | 'ERR_SETTLED'
  | 'ERR_TRANSACTION_ENDED'
  | 'ERR_IN_USE'
  | 'ERR_STORAGE_LOCKED'
  | 'ERR_STORAGE_CORRUPT'
  | 'ERR_STORAGE_FULL'
  | 'ERR_STORAGE_FAILED'
  | 'ERR_STORAGE_VERSION';

/** Shared by every copy of the package in a process, so that `SluiceError.is` works where `instanceof` would not. */
const BRAND = Symbol.for('sluice.error');

/** The one error class. Wrong arguments throw TypeError or RangeError instead. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  /** What the error is about, by name: `{ queue, limit }`, `{ file, position }`, … Never message bodies. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly details?: Readonly<Record<string, unknown>>; readonly cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = options.details ?? {};
    Object.defineProperty(this, BRAND, { value: true });
  }

  override get name(): string {
    return 'SluiceError';
  }

  /** Whether `error` is a SluiceError (of any copy of this package) and, where `code` is given, has that code. */
  static is(error: unknown, code?: ErrorCode): error is SluiceError {
    if (typeof error !== 'object' || error === null || !(BRAND in error)) return false;
    return code === undefined || (error as { code?: unknown }).code === code;
  }
}
