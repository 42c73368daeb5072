/**
 * Divergences that are known and left out of what is compared, by number. None unless they are named: the model and the engine
 * still differ in corners of batches that fill beside messages that come alone, and of key order with delayed messages.
 */
export const KNOWN = new Set((process.env['KNOWN'] ?? '').split(','));
