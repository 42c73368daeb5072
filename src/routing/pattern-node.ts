/** A value of a pattern, and its place among all that were ever added to the trie. */
export interface Addition<V> {
  readonly value: V;
  readonly order: number;
}

/**
 * A place in the trie. Most have one literal child, and most ends of patterns one value: that one is in the node itself, and only
 * others are in Maps. With Maps for all of them a binding would take half as much memory again, and a new key a third more time.
 */
export class Node<V> {
  word: string | undefined;
  child: Node<V> | undefined;
  /** The other literal children; a Map, because `__proto__` is a word like any other. */
  children: Map<string, Node<V>> | undefined;
  star: Node<V> | undefined;
  loop: Loop<V> | undefined;
  addition: Addition<V> | undefined;
  additions: Map<V, Addition<V>> | undefined;

  literal(word: string): Node<V> | undefined {
    return this.word === word ? this.child : this.children?.get(word);
  }

  next(word: string): Node<V> | undefined {
    return word === '#' ? this.loop : word === '*' ? this.star : this.literal(word);
  }

  /** `owner`: the last loop on the way here. */
  grow(word: string, owner: Loop<V> | undefined): Node<V> {
    if (word === '#') return (this.loop = new Loop(owner));
    const node = new Node<V>();
    if (word === '*') {
      this.star = node;
    } else if (this.word === undefined) {
      this.word = word;
      this.child = node;
    } else {
      (this.children ??= new Map()).set(word, node);
    }
    return node;
  }

  cut(word: string): void {
    if (word === '#') {
      if (this.loop?.owner !== undefined) this.loop.owner.exits--;
      this.loop = undefined;
    } else if (word === '*') {
      this.star = undefined;
    } else if (word === this.word) {
      this.word = this.child = undefined;
    } else if (this.children?.delete(word) && this.children.size === 0) {
      this.children = undefined;
    }
  }

  /** No pattern ends here or further on. */
  isBare(): boolean {
    const leadsOn = this.child ?? this.children ?? this.star ?? this.loop;
    return leadsOn === undefined && !this.hasValues();
  }

  hasValues(): boolean {
    return this.addition !== undefined || this.additions !== undefined;
  }

  addValue(addition: Addition<V>): boolean {
    if (this.additions?.has(addition.value)) return false;
    if (this.addition === undefined) this.addition = addition;
    else if (this.addition.value === addition.value) return false;
    else (this.additions ??= new Map()).set(addition.value, addition);
    return true;
  }

  removeValue(value: V): boolean {
    if (this.addition !== undefined && this.addition.value === value) {
      this.addition = undefined;
      return true;
    }
    if (this.additions === undefined || !this.additions.delete(value)) return false;
    if (this.additions.size === 0) this.additions = undefined;
    return true;
  }
}

/** The node of a '#'. Its ways end where a value or the next loop is; `spent` counts those that ended in a loop entered. */
export class Loop<V> extends Node<V> {
  /** The loop before it on the way from the root: entered before it in any match. */
  readonly owner: Loop<V> | undefined;
  exits = 0;
  spent = 0;
  /** The match that last came here. */
  entered = 0;

  constructor(owner: Loop<V> | undefined) {
    super();
    this.owner = owner;
    if (owner !== undefined) owner.exits++;
  }
}
