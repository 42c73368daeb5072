/** The routing keys of `M` that a binding pattern matches, by AMQP's rules. Of several patterns: those that any of them matches. */
export type Matching<M, P extends string> = string extends P
  ? keyof M & string
  : P extends unknown
    ? Match<Likely<keyof M & string, Shape<Words<P>>>, Words<P>>
    : never;

type Match<K extends string, P extends readonly unknown[]> = K extends unknown
  ? WordsMatch<P, Words<K>> extends true
    ? K
    : never
  : never;

type Words<S extends string> = S extends '' ? [] : SplitDots<S>;
type SplitDots<S extends string> = S extends `${infer H}.${infer R}` ? [H, ...SplitDots<R>] : [S];

type WordsMatch<P extends readonly unknown[], K extends readonly unknown[]> = P extends readonly ['#', ...infer PR]
  ? PR extends readonly []
    ? true
    : WordsMatch<PR, K> extends true
      ? true
      : K extends readonly [unknown, ...infer KR]
        ? WordsMatch<P, KR>
        : false
  : P extends readonly [infer PH, ...infer PR]
    ? K extends readonly [infer KH, ...infer KR]
      ? PH extends '*'
        ? WordsMatch<PR, KR>
        : KH extends PH
          ? WordsMatch<PR, KR>
          : PH extends KH
            ? WordsMatch<PR, KR>
            : false
      : false
    : K extends readonly []
      ? true
      : false;

/**
 * The keys that have the shape of a pattern, which the compiler sees at a glance, so that only a few have to be compared word by
 * word: for 161 keys and 60 patterns that is ten times less to do. Keys that are templates are all likely.
 */
type Likely<K extends string, S extends string> = Extract<K, S> | Templates<K>;
type Templates<K extends string> = K extends unknown ? ({} extends Record<K, 1> ? K : never) : never;

/** `a.*.b` → `a.${string}.b`, and, as a dot goes with its #, `a.#.b` → `a${string}b`. */
type Shape<P extends readonly unknown[]> = P extends readonly ['#', ...infer R]
  ? `${string}${Shape<R>}`
  : P extends readonly [infer H extends string, ...infer R]
    ? `${H extends '*' ? string : H}${R extends readonly [] | readonly ['#', ...unknown[]] ? '' : '.'}${Shape<R>}`
    : '';
