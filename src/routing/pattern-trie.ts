import { KeyMemo } from './key-memo.js';
import { Loop, Node, type Addition } from './pattern-node.js';

/** Shared by every key that leads nowhere. */
const NOTHING: readonly never[] = Object.freeze([]);

/**
 * AMQP topic patterns, each with a set of values, and the values of all patterns that a routing key matches.
 *
 * Words are split at '.'; in a pattern '*' is exactly one word and '#' any number of them, none included. The empty key and
 * the empty pattern have no words, 'a..b' has an empty one in the middle (RabbitMQ: split_topic_key_binary).
 *
 *     a.*.c  → 1      root ─a─► ○ ─*─► ○ ─c─► ● 1
 *     a.#    → 2                └──#─► ◉ 2 ─b─► ● 3
 *     a.#.b  → 3
 *
 * A match walks the trie once, with the set of nodes that the words so far can have led to: one step per word, each node at
 * most once per step, since one edge leads to it. So the cost is at most words × nodes, however many '#' there are, and in
 * practice follows the few nodes that fit, not the number of patterns. Two facts about '#' (◉, a Loop) keep the set small:
 *
 * - A loop that was entered stays entered to the end of the key. So its own values match then and there, a '#' at the end of a
 *   pattern costs nothing for the words it swallows, and no loop is entered twice.
 * - Whoever has reached a later loop gains nothing from reaching it again. So a loop all of whose ways lead through later loops
 *   that were entered is spent and leaves the set: `#.a.#.b.#.c…` is as cheap as one '#'.
 */
export class PatternTrie<V> {
  readonly #root = new Node<V>();
  readonly #memo = new KeyMemo<V>();
  #size = 0;
  /** Grows with every addition: a value's place in the order of its pattern's answer. */
  #additions = 0;

  /** Number of the match under way; a loop that bears it was entered in it. */
  #matches = 0;
  #visited = 0;

  // The match under way: the nodes and loops that the words so far led to, and the values found. Arrays are kept and refilled,
  // with counts of their own: setting `length` costs as much as the rest of a step. Pruned nodes in them hold no values.
  #nodes: Node<V>[] = [];
  #nodeCount = 0;
  #nextNodes: Node<V>[] = [];
  #nextNodeCount = 0;
  readonly #loops: Loop<V>[] = [];
  #loopCount = 0;
  #found: Addition<V>[] | undefined;

  /** How many pairs of pattern and value there are. */
  get size(): number {
    return this.#size;
  }

  /** Words read and nodes visited by all matches so far: what they cost, whatever the machine. */
  get visited(): number {
    return this.#visited;
  }

  /** Keys whose answer is remembered now. */
  get remembered(): number {
    return this.#memo.size;
  }

  /**
   * The values of all patterns that match, each once, those added first first. Frozen, and the same array for the same key
   * until a pattern is added or removed.
   */
  match(key: string): readonly V[] {
    const known = this.#memo.get(key);
    if (known !== undefined) return known;
    const values = this.#search(key);
    this.#memo.set(key, values);
    return values;
  }

  /** false: the pattern has the value already. */
  add(pattern: string, value: V): boolean {
    let node = this.#root;
    let loop: Loop<V> | undefined;
    for (const word of wordsOf(pattern)) {
      node = node.next(word) ?? node.grow(word, loop);
      if (node instanceof Loop) loop = node;
    }
    const first = !node.hasValues();
    if (!node.addValue({ value, order: this.#additions })) return false;
    if (first && loop !== undefined && node !== loop) loop.exits++;
    this.#additions++;
    this.#size++;
    this.#memo.clear();
    return true;
  }

  /** false: the pattern does not have the value. What no pattern needs any longer is pruned. */
  remove(pattern: string, value: V): boolean {
    const words = wordsOf(pattern);
    const path = [this.#root];
    let loop: Loop<V> | undefined;
    for (const word of words) {
      const node = path[path.length - 1]!.next(word);
      if (node === undefined) return false;
      if (node instanceof Loop) loop = node;
      path.push(node);
    }
    const last = path[path.length - 1]!;
    if (!last.removeValue(value)) return false;
    if (!last.hasValues() && loop !== undefined && last !== loop) loop.exits--;
    for (let depth = words.length; depth > 0 && path[depth]!.isBare(); depth--) path[depth - 1]!.cut(words[depth - 1]!);
    this.#size--;
    this.#memo.clear();
    return true;
  }

  #search(key: string): readonly V[] {
    this.#matches++;
    this.#loopCount = 0;
    this.#enter(this.#root);
    this.#takeNext();
    // Word by word without splitting first: most keys leave the trie after one or two words.
    for (let from = 0; key !== '' && from <= key.length && this.#nodeCount + this.#loopCount > 0;) {
      const dot = key.indexOf('.', from);
      const end = dot < 0 ? key.length : dot;
      this.#advance(key.slice(from, end));
      from = end + 1;
    }
    for (let i = 0; i < this.#nodeCount; i++) this.#collect(this.#nodes[i]!);
    const found = this.#found;
    this.#found = undefined;
    return found === undefined ? NOTHING : inOrder(found);
  }

  #advance(word: string): void {
    this.#visited++;
    const loops = this.#loops;
    const before = this.#loopCount;
    let kept = 0;
    for (let i = 0; i < before; i++) {
      const loop = loops[i]!;
      if (loop.spent === loop.exits) continue;
      loops[kept++] = loop;
      this.#follow(loop, word);
    }
    for (let i = 0; i < this.#nodeCount; i++) this.#follow(this.#nodes[i]!, word);
    // Loops entered with this word stand behind those before it; they close up to what was kept.
    if (kept < before) {
      for (let i = before; i < this.#loopCount; i++) loops[kept++] = loops[i]!;
      this.#loopCount = kept;
    }
    this.#takeNext();
  }

  #follow(node: Node<V>, word: string): void {
    this.#visited++;
    const child = node.literal(word);
    if (child !== undefined) this.#enter(child);
    if (node.star !== undefined) this.#enter(node.star);
  }

  #enter(node: Node<V>): void {
    this.#nextNodes[this.#nextNodeCount++] = node;
    // '#' takes no word to enter, and one '#' may follow another.
    for (let loop = node.loop; loop !== undefined && loop.entered !== this.#matches; loop = loop.loop) {
      loop.entered = this.#matches;
      loop.spent = 0;
      if (loop.owner !== undefined) loop.owner.spent++;
      this.#loops[this.#loopCount++] = loop;
      this.#collect(loop);
    }
  }

  /** What a word led to becomes the set for the next word. */
  #takeNext(): void {
    const done = this.#nodes;
    this.#nodes = this.#nextNodes;
    this.#nodeCount = this.#nextNodeCount;
    this.#nextNodes = done;
    this.#nextNodeCount = 0;
  }

  #collect(node: Node<V>): void {
    if (node.addition !== undefined) (this.#found ??= []).push(node.addition);
    if (node.additions !== undefined)
      for (const addition of node.additions.values()) (this.#found ??= []).push(addition);
  }
}

function inOrder<V>(found: Addition<V>[]): readonly V[] {
  if (found.length === 1) return Object.freeze([found[0]!.value]);
  found.sort((one, other) => one.order - other.order);
  return Object.freeze([...new Set(found.map(({ value }) => value))]);
}

function wordsOf(pattern: string): string[] {
  return pattern === '' ? [] : pattern.split('.');
}
