/** A queue with a handler behind it: what the contenders of rows 1 to 5 have in common. */
export interface BenchQueue {
  /** What the sender can await: acceptance; where a peer tells only completion, that; undefined where it returns nothing. */
  send(body: Body): Promise<unknown> | undefined;
  /** No handler starts from now on. Only called while nothing is queued. */
  hold(): void;
  release(): void;
}

export interface Body {
  readonly n: number;
}

export type Handler = (body: Body) => Promise<void>;
export type OpenQueue = (handler: Handler, concurrency: number) => BenchQueue | Promise<BenchQueue>;
