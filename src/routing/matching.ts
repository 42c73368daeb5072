/** The routing keys of `M` that a binding pattern matches, by AMQP's rules. Of several patterns: those that any of them matches. */
export type Matching<M, P extends string> = string extends P
  ? keyof M & string
  : P extends unknown
    ? { [K in keyof M & string]: WordsMatch<Words<P>, Words<K>> extends true ? K : never }[keyof M & string]
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
