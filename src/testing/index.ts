export { type FaultRule, FaultyStorage, type FaultyMethod } from './faulty-storage.js';
export { ManualClock } from './manual-clock.js';
export { storageConformance, type StorageConformanceOptions } from './storage-conformance.js';
