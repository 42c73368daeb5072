export { type FaultRule, FaultyStorage, type FaultyMethod } from './faulty-storage.js';
export { ManualClock } from './manual-clock.js';
export { storageConformance, type StorageConformanceOptions } from './storage-conformance.js';
export type { Sent } from './record.js';
export { testBroker, type TestBroker } from './test-broker.js';
