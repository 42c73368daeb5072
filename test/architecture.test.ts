import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { violations } from './architecture/rules.js';

const root = fileURLToPath(new URL('..', import.meta.url));

function readSources(): Map<string, string> {
  const files = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' });
  const paths = files.filter((file) => file.endsWith('.ts')).map((file) => `src/${file.replaceAll('\\', '/')}`);
  return new Map(paths.toSorted().map((path) => [path, readFileSync(root + path, 'utf8')]));
}

describe('the sources of sluice', () => {
  it('keep the rules of the architecture', () => {
    const sources = readSources();
    expect(sources.size).toBeGreaterThan(0);
    expect(violations(sources)).toEqual([]);
  });
});

const empty = '';
const seam = { 'src/storage/storage.ts': empty };

describe('the rules notice', () => {
  const cases: [flaw: string, sources: Record<string, string>, complaint: string][] = [
    [
      'vocabulary that imports a part',
      { 'src/codec.ts': "import './routing/trie.js';", 'src/routing/trie.ts': empty },
      'src/codec.ts:1 imports src/routing/trie.ts: vocabulary may import itself',
    ],
    [
      'routing that imports delivery',
      { 'src/routing/trie.ts': "\nimport { x } from '../delivery/cursor.js';", 'src/delivery/cursor.ts': empty },
      'src/routing/trie.ts:2 imports src/delivery/cursor.ts: routing may import itself, vocabulary',
    ],
    [
      'delivery that imports the routing by a type',
      {
        'src/delivery/cursor.ts': "import type { Trie } from '../routing/trie.js';",
        'src/routing/trie.ts': empty,
      },
      'src/delivery/cursor.ts:1 imports src/routing/trie.ts: delivery may import itself, vocabulary',
    ],
    [
      'a value taken from the storage seam',
      { ...seam, 'src/delivery/cursor.ts': "import { Storage } from '../storage/storage.js';" },
      'of src/storage/storage.ts types (import type)',
    ],
    [
      'a value taken from the storage seam beside an inline type',
      { ...seam, 'src/delivery/cursor.ts': "import { type Storage, open } from '../storage/storage.js';" },
      'of src/storage/storage.ts types (import type)',
    ],
    [
      'a type taken from another storage file',
      {
        'src/delivery/cursor.ts': "import type { MemoryStorage } from '../storage/memory-storage.js';",
        'src/storage/memory-storage.ts': empty,
      },
      'src/delivery/cursor.ts:1 imports src/storage/memory-storage.ts',
    ],
    [
      'a noun that imports the broker, by a dynamic import',
      { 'src/topic.ts': "export const load = () => import('./broker.js');", 'src/broker.ts': empty },
      'src/topic.ts:1 imports src/broker.ts: nouns may import',
    ],
    [
      'a noun that imports the broker, by an import type',
      { 'src/consumer-group.ts': "export type B = import('./broker.js').Broker;", 'src/broker.ts': empty },
      'src/consumer-group.ts:1 imports src/broker.ts: nouns may import',
    ],
    [
      'a pattern that reaches behind the public nouns',
      { 'src/patterns/outbox.ts': "export * from '../delivery/settle.js';", 'src/delivery/settle.ts': empty },
      'src/patterns/outbox.ts:1 imports src/delivery/settle.ts: patterns may import itself, vocabulary, nouns, broker',
    ],
    [
      'a pattern that imports the index',
      { 'src/patterns/outbox.ts': "import { Broker } from '../index.js';", 'src/index.ts': empty },
      'src/patterns/outbox.ts:1 imports src/index.ts',
    ],
    [
      'a test kit that reaches behind the public surface',
      { 'src/testing/index.ts': "import { Broker } from '../broker.js';", 'src/broker.ts': empty },
      'src/testing/index.ts:1 imports src/broker.ts: testing may import itself, vocabulary, index',
    ],
    [
      'a file that is not there',
      { 'src/queue.ts': "import '../test/kit.js';" },
      'src/queue.ts:1 imports test/kit.ts, which is no source file',
    ],
    ['a file outside the house', { 'src/stuff.ts': empty }, 'src/stuff.ts belongs to no layer'],
    [
      'a name that says nothing',
      { 'src/routing/utils.ts': empty },
      'src/routing/utils.ts has a name that says nothing',
    ],
    ['a long file', { 'src/queue.ts': 'let x;\n'.repeat(301) }, 'src/queue.ts has 301 lines'],
    [
      'a cycle',
      {
        'src/queue.ts': "import { Exchange } from './exchange.js';",
        'src/exchange.ts': "import { Consumer } from './consumer.js';",
        'src/consumer.ts': "import { Queue } from './queue.js';",
      },
      'imports in a cycle: src/queue.ts → src/exchange.ts → src/consumer.ts → src/queue.ts',
    ],
    [
      'a cycle of types only',
      {
        'src/queue.ts': "import type { Consumer } from './consumer.js';",
        'src/consumer.ts': "export type { Queue } from './queue.js';",
      },
      'imports in a cycle: src/queue.ts → src/consumer.ts → src/queue.ts',
    ],
    [
      'eventemitter3 outside events.ts',
      { 'src/broker.ts': "import { EventEmitter } from 'eventemitter3';" },
      'src/broker.ts:1 imports eventemitter3, which belongs to ^src/events.ts$',
    ],
    [
      'p-queue outside the lanes',
      { 'src/delivery/dispatcher.ts': "import PQueue from 'p-queue';" },
      'src/delivery/dispatcher.ts:1 imports p-queue, which belongs to ^src/delivery/lanes.ts$',
    ],
    [
      'two owners of lru-cache',
      {
        'src/routing/memo.ts': "import { LRUCache } from 'lru-cache';",
        'src/delivery/deduplication.ts': "import { LRUCache } from 'lru-cache';",
      },
      'lru-cache has more than one owner: src/routing/memo.ts, src/delivery/deduplication.ts',
    ],
    [
      'a package that is no dependency',
      { 'src/codec.ts': "import { pack } from 'msgpackr';" },
      'src/codec.ts:1 imports msgpackr, which is no dependency of the package',
    ],
    [
      'a builtin without its node: prefix',
      { 'src/storage/file-storage.ts': "import fs from 'fs';" },
      'src/storage/file-storage.ts:1 imports fs, which is no dependency',
    ],
    [
      'node:fs outside the file storage',
      { 'src/storage/memory-storage.ts': "import { open } from 'node:fs/promises';" },
      'src/storage/memory-storage.ts:1 imports node:fs/promises, which belongs to ^src/storage/file',
    ],
    ['Date.now', { 'src/queue.ts': '\n\nconst t = Date.now();' }, 'src/queue.ts:3 uses Date.now'],
    ['new Date()', { 'src/queue.ts': 'const t = new Date();' }, 'src/queue.ts:1 uses new Date()'],
    ['performance.now', { 'src/delivery/timers.ts': 'performance.now();' }, 'uses performance'],
    ['setTimeout', { 'src/delivery/timers.ts': 'setTimeout(fire, 5);' }, 'src/delivery/timers.ts:1 uses setTimeout'],
    ['globalThis.setImmediate', { 'src/queue.ts': 'globalThis.setImmediate(go);' }, 'src/queue.ts:1 uses setImmediate'],
    ['Math.random', { 'src/delivery/retry.ts': 'const r = Math.random;' }, 'src/delivery/retry.ts:1 uses Math.random'],
    ['timers by import', { 'src/queue.ts': "import t from 'node:timers/promises';" }, 'belongs to ^src/clock.ts$'],
  ];

  it.each(cases)('%s', (_flaw, sources, complaint) => {
    const found = violations(new Map(Object.entries(sources)));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(complaint);
  });
});

it('the rules let the house through as it is meant to be built', () => {
  const sources = new Map([
    ['src/errors.ts', ''],
    ['src/clock.ts', 'export const now = (): number => Date.now(); setTimeout(now, Math.random());'],
    ['src/events.ts', "import { EventEmitter } from 'eventemitter3';"],
    ['src/storage/storage.ts', "import { SluiceError } from '../errors.js';"],
    [
      'src/storage/file-storage.ts',
      "import { Frame } from './file/frame.js';\nimport { open } from 'node:fs/promises';",
    ],
    ['src/storage/file/frame.ts', "import fs from 'node:fs';\nimport { crc32 } from 'node:zlib';"],
    ['src/delivery/lanes.ts', "import PQueue from 'p-queue';"],
    ['src/delivery/cursor.ts', "import type { Storage } from '../storage/storage.js';\n// Date.now() in words is fine"],
    ['src/delivery/deduplication.ts', "import { LRUCache } from 'lru-cache';\nconst at = new Date(5);"],
    ['src/routing/trie.ts', ''],
    ['src/topic.ts', "import { Cursor } from './delivery/cursor.js';\nimport { Trie } from './routing/trie.js';"],
    ['src/consumer-group.ts', "import { Topic } from './topic.js';"],
    ['src/transaction.ts', "import { SluiceError } from './errors.js';"],
    ['src/broker.ts', "import { Topic } from './topic.js';\nimport { Storage } from './storage/storage.js';"],
    [
      'src/patterns/outbox.ts',
      "import type { Broker } from '../broker.js';\nimport { SluiceError } from '../errors.js';",
    ],
    ['src/index.ts', "export { Broker } from './broker.js';\nexport * from './patterns/outbox.js';"],
    ['src/testing/index.ts', "import { Broker } from '../index.js';\nimport { now } from '../clock.js';"],
  ]);
  expect(violations(sources)).toEqual([]);
});
