import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { murmur2, partitionOf } from '../../src/routing/partitioner.js';

/** Kafka's own: clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java, testMurmur2. */
const java: readonly [key: string, hash: number][] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

/** kafkajs, made with Java: src/producer/partitioners/default/murmur2.spec.js. */
const kafkajs: readonly [key: string, hash: number][] = [
  ['0', 971027396],
  ['1', -1993445489],
  ['128', -326012175],
  ['2187', -1508407203],
  ['16384', -325739742],
  ['78125', -1654490814],
  ['279936', 1462227128],
  ['823543', -2014198330],
  ['2097152', 607668903],
  ['4782969', -1182699775],
  ['10000000', -1830336757],
  ['19487171', -1603849305],
  ['35831808', -857013643],
  ['62748517', -1167431028],
  ['105413504', -381294639],
  ['170859375', -1658323481],
  ['100:48069', 1009543857],
];

/** librdkafka, made with Java: src/rdmurmur2.c, unittest_murmur2. */
const librdkafka: readonly [key: string, hash: number][] = [
  ['kafka', 0xd067cf64 | 0],
  ['giberish123456789', 0x8f552b0c | 0],
  ['1234', 0x9fc97b14 | 0],
  ['234', 0xe7c009ca | 0],
  ['34', 0x873930da | 0],
  ['4', 0x5a4b5ca1],
  ['PreAmbleWillBeRemoved,ThePrePartThatIs', 0x78424f1c],
  ['reAmbleWillBeRemoved,ThePrePartThatIs', 0x4a62b377],
  ['eAmbleWillBeRemoved,ThePrePartThatIs', 0xe0e4e09e | 0],
  ['AmbleWillBeRemoved,ThePrePartThatIs', 0x62b8b43f],
  ['', 0x106e08d9],
];

/** Java's text as it stands, over the bytes of TextEncoder, in integers of any length. */
function naive(key: string): number {
  const data = new TextEncoder().encode(key);
  const int = (n: bigint): bigint => BigInt.asUintN(32, n);
  const byte = (at: number): bigint => BigInt(data[at]!);
  const m = 0x5bd1e995n;
  let h = int(0x9747b28cn ^ BigInt(data.length));
  const tail = data.length - (data.length % 4);
  for (let i = 0; i < tail; i += 4) {
    let k = byte(i) + (byte(i + 1) << 8n) + (byte(i + 2) << 16n) + (byte(i + 3) << 24n);
    k = int(k * m);
    k ^= k >> 24n;
    k = int(k * m);
    h = int(h * m);
    h ^= k;
  }
  if (data.length % 4 === 3) h ^= byte(tail + 2) << 16n;
  if (data.length % 4 >= 2) h ^= byte(tail + 1) << 8n;
  if (data.length % 4 >= 1) h = int((h ^ byte(tail)) * m);
  h ^= h >> 13n;
  h = int(h * m);
  h ^= h >> 15n;
  return Number(BigInt.asIntN(32, h));
}

describe('murmur2', () => {
  it.each([...java, ...kafkajs, ...librdkafka])('of %j is %i, as in other clients of Kafka', (key, hash) => {
    expect(murmur2(key)).toBe(hash);
    expect(naive(key)).toBe(hash);
  });

  it('is that of the UTF-8 bytes, whatever the key', () => {
    const unit = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('a', 'Z', '0', '-', '\0', '\x7f') },
      {
        weight: 1,
        arbitrary: fc.constantFrom('\x80', 'é', '\u07ff', '\u0800', '語', '\uffff', '😀', '\ud800', '\udfff'),
      },
    );
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit, maxLength: 40 })), (key) => {
        expect(murmur2(key)).toBe(naive(key));
      }),
      { numRuns: 5000 },
    );
  });

  it.each([255, 256, 257, 5000])('of %i units that are no ASCII is that of their bytes', (length) => {
    for (const key of ['語'.repeat(length), `${'a'.repeat(length - 1)}é`, `\ud83d${'x'.repeat(length - 1)}`]) {
      expect(murmur2(key)).toBe(naive(key));
    }
  });

  it('takes a lone surrogate for U+FFFD', () => {
    expect(murmur2('\ud800')).toBe(murmur2('\ufffd'));
    expect(murmur2('x\udfffy')).toBe(murmur2('x\ufffdy'));
  });
});

describe('partitionOf', () => {
  /** kafka-python, compared with Java: test/test_partitioner.py, test_murmur2_java_compatibility. */
  it.each([
    ['', 681],
    ['a', 524],
    ['ab', 434],
    ['abc', 107],
    ['123456789', 566],
    ['\x00 ', 742],
  ])('puts %j into %i of 1000 partitions, as kafka-python does', (key, partition) => {
    expect(partitionOf(key, 1000)).toBe(partition);
  });

  /** librdkafka, made with Java: tests/0048-partitioner.c, `murmur2`; there with 7 and 17 partitions. */
  it.each([
    ['', 0x106e08d9],
    ['23456', 0x058d780f],
    ['this is another string with more length to it perhaps', 0x4f7703da],
    ['hejsan', 0x5ec19395],
  ])('puts %j where librdkafka does', (key, positive) => {
    for (const partitions of [7, 17]) expect(partitionOf(key, partitions)).toBe(positive % partitions);
  });

  it('is below the number of partitions, negative hashes included', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 2000 }), (key, partitions) => {
        expect(partitionOf(key, partitions)).toBe((naive(key) & 0x7fffffff) % partitions);
      }),
    );
  });
});
