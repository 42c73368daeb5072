/**
 * A process of prove:lock. Opens the directory; says `open` or `locked <pid> <ms>`; while it has it, writes; with `stay` it
 * waits to be killed or stopped, else it closes, says `closed`, and ends.
 */
import { writeSync } from 'node:fs';
import { SluiceError } from '../../src/errors.js';
import { FileStorage } from '../../src/storage/file-storage.js';

const [directory, mode] = process.argv.slice(2) as [string, string];
const tell = (line: string): void => void writeSync(1, `${line}\n`);

const began = performance.now();
const storage = new FileStorage(directory, { keepFree: 0 });
try {
  await storage.open();
  await storage.write([{ type: 'append', log: 'owners', entry: { head: { pid: process.pid } } }]);
  tell('open');
  if (mode === 'stay') setInterval(() => {}, 1000);
  else {
    await storage.close();
    tell('closed');
  }
} catch (error) {
  if (!SluiceError.is(error, 'ERR_STORAGE_LOCKED')) throw error;
  tell(`locked ${String(error.details['pid'])} ${performance.now() - began}`);
}
